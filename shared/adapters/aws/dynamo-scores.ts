import type { ScoreRow } from "../../contracts/catalog-row.ts";
import { CATALOG_INDEXES } from "../../contracts/catalog-table.ts";
import type { ScoreSet } from "../../ports/catalog.ts";
import { maybeRowOf, putRow, type StoredRow } from "./catalog-items.ts";
import { counterKeys, counterShard, keyOf, momentText, rowKey, unscoredShards } from "./catalog-keys.ts";
import { attempt } from "./conflicts.ts";
import type { DynamoTable } from "./dynamo-table.ts";
import { collected, firstOf, inGroups, mergedWalk } from "./walks.ts";
import type { Write } from "./writes.ts";

/** Projects counted in one transaction; a trajectory in more of them takes several. */
const COUNTED_AT_ONCE = 90;
const ALL = "";

/** Scores, and how many trajectories got their first one. */
export class DynamoScores {
  readonly #table: DynamoTable;

  constructor(table: DynamoTable) {
    this.#table = table;
  }

  /** A read, and a transaction for a first score or a single write for another; none where nothing changes. */
  async set(id: string, score: ScoreRow, options?: { readonly revision: string }): Promise<ScoreSet> {
    let result: ScoreSet | undefined;
    for (;;) {
      const left = await attempt(`trajectory ${id}`, async () => {
        const row = maybeRowOf(await this.#table.get(rowKey(id)));
        if (row === undefined) {
          result ??= "absent";
          return false;
        }
        if (options !== undefined && row.facts.revision !== options.revision) {
          result ??= "stale";
          return false;
        }
        const { left: more, ...change } = scoring(row, score);
        await this.#apply(change.row, row, change.writes);
        result ??= row.score === undefined ? "first" : "again";
        return more;
      });
      if (!left) return result ?? "absent";
    }
  }

  async #apply(row: StoredRow, before: StoredRow, writes: readonly Write[]): Promise<void> {
    if (writes.length === 0 && before.score !== undefined && equal(before.score, row.score)) return;
    await this.#table.transact([putRow(row), ...writes]);
  }

  async count(project = ALL): Promise<number> {
    const keys = counterKeys(project);
    const found = await this.#table.getAll(keys);
    return keys.reduce((total, key) => total + Number(found.of(key)?.["total"] ?? 0), 0);
  }

  async unscored(options: { readonly before: number; readonly limit: number }): Promise<readonly string[]> {
    const { name, partitionKey, sortKey } = CATALOG_INDEXES.unscored;
    const { limit } = options;
    const walks = unscoredShards.map((shard) =>
      this.#table.query({
        index: name,
        condition: {
          text: "#shard = :shard and #since < :before",
          names: { "#shard": partitionKey, "#since": sortKey },
          values: { ":shard": shard, ":before": momentText(options.before) },
        },
        page: Math.min(Math.max(limit, 1), PAGE),
      }),
    );
    const walk = mergedWalk(walks, (first, second) => String(first[sortKey]) < String(second[sortKey]));
    return collected(firstOf(this.#stillUnscored(walk), limit));
  }

  /** The index may lag behind. */
  async *#stillUnscored(walk: AsyncIterable<Parameters<typeof keyOf>[0]>): AsyncGenerator<string> {
    for await (const group of inGroups(walk, PAGE)) {
      const keys = group.map(keyOf);
      const found = await this.#table.getAll(keys);
      for (const key of keys) {
        const row = maybeRowOf(found.of(key));
        if (row !== undefined && row.score === undefined) yield row.facts.id;
      }
    }
  }
}

const PAGE = 100;

/** What it takes to note a score, counting a first one. `left`: there are more projects than one transaction counts. */
export function scoring(
  before: StoredRow,
  score: ScoreRow,
): { readonly row: StoredRow; readonly writes: readonly Write[]; readonly left: boolean } {
  const row = { ...before, score };
  const { counted, writes } = counting(row, [ALL, ...row.projects.keys()]);
  const left = [...row.projects.keys()].some((project) => counted?.has(project) !== true);
  return { row: { ...row, counted }, writes, left };
}

/** What it takes to count a scored trajectory in projects that it was not counted in; nothing for one unscored. */
export function counting(
  row: StoredRow,
  projects: readonly string[],
): { readonly counted: ReadonlySet<string> | undefined; readonly writes: readonly Write[] } {
  const { counted, score, facts } = row;
  if (score === undefined) return { counted, writes: [] };
  const fresh = projects.filter((project) => counted?.has(project) !== true).slice(0, COUNTED_AT_ONCE);
  return {
    counted: new Set([...(counted ?? []), ...fresh]),
    writes: fresh.map((project) => ({
      kind: "count",
      project,
      shard: counterShard(facts.id),
      more: 1,
    })),
  };
}

function equal(first: ScoreRow, second: ScoreRow | undefined): boolean {
  return (
    second !== undefined &&
    first.scorer === second.scorer &&
    Object.is(first.reward, second.reward) &&
    Object.is(first.process, second.process) &&
    Object.is(first.outcome, second.outcome) &&
    Object.is(first.efficiency, second.efficiency)
  );
}
