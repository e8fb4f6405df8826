import type { ScoreRow } from "../contracts/catalog-row.ts";
import { scoreKey, scorePrefix, trajectoryKey, trajectoryPrefix } from "../contracts/keys.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { Compute, ComputedScore } from "../ports/compute.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { score } from "./score.ts";

export interface ReprocessPorts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly compute: Compute;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Rescored {
  readonly id: string;
  readonly before: { readonly scorer: string | null; readonly reward: number | null };
  readonly after: ScoreRow;
}

/** Trajectories scored side by side. */
const WINDOW = 64;

/**
 * Scores stored trajectories again, with the settings in force. The scores of other scorers stay beside the new
 * ones; the catalog points to the new ones. Yields each trajectory whose scorer changed.
 */
export async function* rescore(
  options: { readonly since?: number },
  ports: ReprocessPorts,
): AsyncGenerator<Rescored> {
  const { store, catalog, compute } = ports;
  const ids = await idsSince(catalog, options.since);
  const underWay: { readonly id: string; readonly computed: Promise<ComputedScore> }[] = [];
  let done = 0;
  const settle = async (): Promise<Rescored | undefined> => {
    const next = underWay.shift();
    if (next === undefined) return undefined;
    const { id } = next;
    const computed = await next.computed;
    const entry = await catalog.entry(id);
    await score({ id, key: trajectoryKey(id), computed }, { store, catalog, compute });
    done += 1;
    ports.onProgress?.(done, ids.length);
    const before = { scorer: entry?.scorer ?? null, reward: entry?.reward ?? null };
    return before.scorer === computed.row.scorer ? undefined : { id, before, after: computed.row };
  };
  for (const id of ids) {
    const computed = store.read(trajectoryKey(id)).then((document) => compute.score(document));
    computed.catch(() => undefined);
    underWay.push({ id, computed });
    if (underWay.length < WINDOW) continue;
    const changed = await settle();
    if (changed !== undefined) yield changed;
  }
  while (underWay.length > 0) {
    const changed = await settle();
    if (changed !== undefined) yield changed;
  }
}

/** Removes older revisions and the scores of other scorers, once the current ones are there. Returns what went. */
export async function prune(
  options: { readonly since?: number },
  ports: Omit<ReprocessPorts, "compute">,
): Promise<readonly string[]> {
  const { store, catalog } = ports;
  // What points to the current versions must be durable before the others go.
  await catalog.flush();
  const removed: string[] = [];
  for (const id of await idsSince(catalog, options.since)) {
    const entry = await catalog.entry(id);
    if (entry === undefined) continue;
    const keep = new Set([trajectoryKey(id), ...(entry.scorer === null ? [] : [scoreKey(id, entry.scorer)])]);
    const stale: string[] = [];
    for (const prefix of [trajectoryPrefix(id), scorePrefix(id)]) {
      for await (const { key } of store.list(prefix)) if (!keep.has(key)) stale.push(key);
    }
    for (const key of stale) await store.remove(key);
    await catalog.pruneRevisions(id);
    removed.push(...stale);
  }
  return removed;
}

async function idsSince(catalog: Catalog, since = 0): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const entry of catalog.select({ includeSuperseded: true })) {
    if (entry.createdAt >= since) ids.push(entry.id);
  }
  return ids;
}
