import { type LocalStore, openForReading, openForWriting } from "../../shared/adapters/local/local-store.ts";
import { scoreKey, trajectoryKey } from "../../shared/contracts/keys.ts";
import type { Catalog } from "../../shared/ports/catalog.ts";
import { ObjectNotFoundError, type ObjectStore } from "../../shared/ports/object-store.ts";
import { readDocument } from "../../shared/stages/compute-tasks.ts";
import { readScore, type StoredScore } from "../../shared/stages/score-trajectory.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { UsageError } from "./usage-error.ts";

/** A store to write to that is there already. @throws NoStoreError, StoreBusyError */
export async function writableStore(folder: string): Promise<LocalStore> {
  await openForReading(folder).close();
  return openForWriting(folder);
}

/** The full id that a (shortened) one means. @throws UsageError where it means none, or several */
export async function resolveId(catalog: Catalog, text: string): Promise<string> {
  const prefix = text.toLowerCase();
  if (!/^[0-9a-f]{4,64}$/.test(prefix)) {
    throw new UsageError(
      `"${text}" is no trajectory id: give at least its first 4 hex digits (gymline list shows them)`,
    );
  }
  const [only, ...others] = await catalog.idsWithPrefix(prefix, 5);
  if (only === undefined) {
    const gone = prefix.length === 64 && (await catalog.forgotten(prefix)) ? "; it was forgotten" : "";
    throw new UsageError(`the store holds no trajectory whose id starts with ${prefix}${gone}`);
  }
  if (others.length > 0) {
    throw new UsageError(
      `${prefix} means several trajectories: ${[only, ...others].map((id) => id.slice(0, prefix.length + 6)).join(", ")}`,
    );
  }
  return only;
}

export async function loadTrajectory(store: ObjectStore, id: string, revision?: string): Promise<Trajectory> {
  const current = readDocument(await store.read(trajectoryKey(id)));
  if (revision === undefined || current.extra.gymline.provenance.revision === revision) return current;
  return readDocument(await store.read(trajectoryKey(id, revision)));
}

/** The score by one scorer, if there is one. */
export async function loadScore(
  store: ObjectStore,
  id: string,
  scorer: string | null,
): Promise<StoredScore | undefined> {
  if (scorer === null) return undefined;
  try {
    return readScore(await store.read(scoreKey(id, scorer)));
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}
