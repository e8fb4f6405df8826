import { datasetPrefix } from "../contracts/keys.ts";
import type { Manifest } from "../dataset/manifest.ts";
import type { Catalog, DatasetEntry } from "../ports/catalog.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { ManifestError, readManifest } from "../stages/stored-manifest.ts";

/** A registered version with what there is of it. `removed`: nothing of its folder is there any more. */
export type ListedVersion = {
  readonly entry: DatasetEntry;
  /** Ids of trajectories that were forgotten and whose rows it holds. */
  readonly forgotten: readonly string[];
} & (
  | { readonly state: "whole"; readonly manifest: Manifest }
  | { readonly state: "damaged"; readonly fault: ManifestError }
  | { readonly state: "unfinished" }
  | { readonly state: "removed" }
);

interface Ports {
  readonly store: ObjectStore;
  readonly catalog: Pick<Catalog, "datasets" | "forgottenIn">;
}

/** By name, then the oldest first; of one dataset or of all. */
export async function* listVersions(ports: Ports, name?: string): AsyncGenerator<ListedVersion> {
  for await (const entry of ports.catalog.datasets()) {
    if (name === undefined || entry.name === name) yield await listedVersion(entry, ports);
  }
}

export async function listedVersion(entry: DatasetEntry, ports: Ports): Promise<ListedVersion> {
  const { store, catalog } = ports;
  const forgotten = await catalog.forgottenIn(entry.name, entry.version);
  try {
    const manifest = await readManifest(entry, store);
    if (manifest !== undefined) return { entry, forgotten, state: "whole", manifest };
  } catch (error) {
    if (error instanceof ManifestError) return { entry, forgotten, state: "damaged", fault: error };
    throw error;
  }
  if (await hasFiles(entry, store)) return { entry, forgotten, state: "unfinished" };
  // A row that is gone holds nothing.
  return { entry, forgotten: [], state: "removed" };
}

export async function hasFiles(
  { name, version }: Pick<DatasetEntry, "name" | "version">,
  store: Pick<ObjectStore, "list">,
): Promise<boolean> {
  for await (const _ of store.list(datasetPrefix(name, version))) return true;
  return false;
}
