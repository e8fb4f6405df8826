import { blobKey, scorePrefix, trajectoryPrefix } from "../contracts/keys.ts";
import type { Catalog, DatasetUse } from "../ports/catalog.ts";
import type { ObjectStore } from "../ports/object-store.ts";

export interface Forgetting {
  /** The trajectory and the shorter logs of its session that it had superseded. */
  readonly ids: readonly string[];
  readonly removed: readonly string[];
  /** Datasets that hold a row of it: they are immutable and must be exported anew and removed by hand. */
  readonly datasets: readonly DatasetUse[];
}

/**
 * Forgets a trajectory for good: the tombstone comes first, so that nothing brings it back while its objects go;
 * repeated after a kill, it removes what was left.
 */
export async function forget(
  id: string,
  ports: { readonly store: ObjectStore; readonly catalog: Catalog },
): Promise<Forgetting> {
  const { store, catalog } = ports;
  const { ids, orphanBlobs } = await catalog.forget(id);
  await catalog.flush();
  const removed: string[] = [];
  const datasets: DatasetUse[] = [];
  for (const gone of ids) {
    datasets.push(...(await catalog.datasetsOf(gone)));
    for (const prefix of [trajectoryPrefix(gone), scorePrefix(gone)]) {
      for await (const { key } of store.list(prefix)) removed.push(key);
    }
  }
  removed.push(...orphanBlobs.map(blobKey));
  for (const key of removed) await store.erase(key);
  return { ids, removed, datasets };
}
