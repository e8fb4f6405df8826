import type { ScoreRow } from "../contracts/catalog-row.ts";
import { scoreKey, scorePrefix, trajectoryKey, trajectoryPrefix } from "../contracts/keys.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { Compute } from "../ports/compute.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { score } from "./score.ts";

export interface ReprocessPorts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
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
  options: { readonly since?: number; readonly ids?: readonly string[] },
  ports: ReprocessPorts,
): AsyncGenerator<Rescored> {
  const { catalog } = ports;
  const ids = options.ids ?? (await idsSince(catalog, options.since));
  const underWay: Promise<Rescored | undefined>[] = [];
  let done = 0;
  const settle = async (): Promise<Rescored | undefined> => {
    const changed = await underWay.shift();
    done += 1;
    ports.onProgress?.(done, ids.length);
    return changed;
  };
  for (const id of ids) {
    const scored = rescoreOne(id, ports);
    scored.catch(() => undefined);
    underWay.push(scored);
    if (underWay.length < WINDOW) continue;
    const changed = await settle();
    if (changed !== undefined) yield changed;
  }
  while (underWay.length > 0) {
    const changed = await settle();
    if (changed !== undefined) yield changed;
  }
}

async function rescoreOne(id: string, ports: ReprocessPorts): Promise<Rescored | undefined> {
  const entry = await ports.catalog.entry(id);
  const before = { scorer: entry?.scorer ?? null, reward: entry?.reward ?? null };
  const { computed } = await score({ id, key: trajectoryKey(id) }, ports);
  return before.scorer === computed.row.scorer ? undefined : { id, before, after: computed.row };
}

/** Removes older revisions and the scores of other scorers, once the current ones are there. Returns what went. */
export async function prune(
  options: { readonly since?: number },
  ports: Pick<ReprocessPorts, "store" | "catalog">,
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
