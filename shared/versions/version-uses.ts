import type { DatasetInput } from "../dataset/manifest.ts";
import type { Catalog, DatasetUse } from "../ports/catalog.ts";
import { ObjectNotFoundError, type ObjectStore } from "../ports/object-store.ts";
import { ManifestError, readManifest } from "../stages/stored-manifest.ts";
import { placeOfRow, type RowPlace } from "./row-place.ts";
import { DatasetInputsError, versionInputs } from "./version-inputs.ts";

/** Where a trajectory stands in a dataset version. */
export interface VersionUse extends DatasetUse {
  /** `unknown`: the version, its manifest or its list of inputs is gone or damaged. */
  readonly rows: readonly RowPlace[] | "unknown";
  /** What exactly was rendered; undefined where that is unknown. */
  readonly input: DatasetInput | undefined;
}

/** In which rows of which versions trajectories stand, by their ids. Each version's inputs are read once. */
export async function versionUses(
  ids: readonly string[],
  ports: { readonly store: ObjectStore; readonly catalog: Pick<Catalog, "datasetsOf"> },
): Promise<ReadonlyMap<string, readonly VersionUse[]>> {
  const uses: (DatasetUse & { readonly id: string })[] = [];
  for (const id of ids) for (const use of await ports.catalog.datasetsOf(id)) uses.push({ ...use, id });
  const found = new Map<string, VersionUse[]>(ids.map((id) => [id, []]));
  for (const [, some] of Map.groupBy(uses, ({ name, version }) => `${name}/${version}`)) {
    const [first] = some;
    if (first === undefined) continue;
    const inputs = await inputsOf(first, { store: ports.store, ids: new Set(some.map(({ id }) => id)) });
    for (const { id, ...use } of some) found.get(id)?.push({ ...use, ...placed(inputs?.get(id)) });
  }
  return found;
}

interface PlacedInput {
  readonly input: DatasetInput;
  readonly rows: readonly RowPlace[];
}

function placed(of: PlacedInput | undefined): Pick<VersionUse, "rows" | "input"> {
  return of ?? { rows: "unknown", input: undefined };
}

/** undefined where they cannot be read: verifying the version says why. */
async function inputsOf(
  use: DatasetUse,
  from: { readonly store: ObjectStore; readonly ids: ReadonlySet<string> },
): Promise<ReadonlyMap<string, PlacedInput> | undefined> {
  const found = new Map<string, PlacedInput>();
  try {
    const manifest = await readManifest({ name: use.name, version: use.version }, from.store);
    if (manifest === undefined) return undefined;
    for await (const input of versionInputs(manifest, from)) {
      const rows = input.rows.map((number) => placeOfRow(manifest, { split: input.split, number }));
      found.set(input.id, { input, rows: rows.filter((row) => row !== undefined) });
    }
    return found;
  } catch (error) {
    const isDamage =
      error instanceof ManifestError ||
      error instanceof DatasetInputsError ||
      error instanceof ObjectNotFoundError;
    if (isDamage) return undefined;
    throw error;
  }
}
