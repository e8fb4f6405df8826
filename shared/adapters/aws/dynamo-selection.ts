import type { CatalogEntry } from "../../contracts/catalog-row.ts";
import { CATALOG_INDEXES } from "../../contracts/catalog-table.ts";
import type { Selection } from "../../ports/catalog.ts";
import type { Item, Value } from "./attributes.ts";
import { entryOf, projectField, rowOf } from "./catalog-items.ts";
import { idGroup, keyOf, rewardShards, taskGroup } from "./catalog-keys.ts";
import type { DynamoTable } from "./dynamo-table.ts";
import { rewardBound } from "./reward-order.ts";
import { collected, firstOf, inGroups, mergedWalk } from "./walks.ts";
import type { Expression } from "./writes.ts";

/** Items looked at per request; a walk over all shards holds at most sixteen such pages. */
const PAGE = 250;
const LISTED_AT_ONCE = 100;
const { byReward, byTask, byGroup } = CATALOG_INDEXES;

/** Selection and listing of trajectories. */
export class DynamoSelection {
  readonly #table: DynamoTable;

  constructor(table: DynamoTable) {
    this.#table = table;
  }

  async *select(selection: Selection): AsyncGenerator<CatalogEntry> {
    const { success, minReward, limit, task } = selection;
    // A number that no reward reaches selects nothing, as a comparison with it would.
    if (success?.length === 0 || Number.isNaN(minReward)) return;
    const walk =
      task === undefined
        ? mergedWalk(
            rewardShards.map((shard) =>
              this.#ranked({ index: byReward.name, partitionKey: byReward.partitionKey, shard, selection }),
            ),
            (first, second) => orderOf(first) < orderOf(second),
          )
        : this.#ranked({
            index: byTask.name,
            partitionKey: byTask.partitionKey,
            shard: taskGroup(task),
            selection,
          });
    for await (const item of firstOf(walk, limit)) yield entryOf(rowOf(item));
  }

  /** One shard, the best first. */
  #ranked(options: {
    readonly index: string;
    readonly partitionKey: string;
    readonly shard: string;
    readonly selection: Selection;
  }): AsyncGenerator<Item> {
    const { index, partitionKey, shard, selection } = options;
    const { minReward } = selection;
    const names = { "#shard": partitionKey };
    const values = { ":shard": shard };
    const condition =
      minReward === undefined
        ? { text: "#shard = :shard", names, values }
        : {
            text: "#shard = :shard and #order < :bound",
            names: { ...names, "#order": byReward.sortKey },
            values: { ...values, ":bound": rewardBound(minReward) },
          };
    const filter = filterOf(selection);
    return this.#table.query({ index, condition, page: PAGE, ...(filter === undefined ? {} : { filter }) });
  }

  async idsWithPrefix(prefix: string, limit: number): Promise<readonly string[]> {
    const walk = this.#table.query({
      index: byGroup.name,
      condition: {
        text: "#group = :group and begins_with(#order, :prefix)",
        names: { "#group": byGroup.partitionKey, "#order": byGroup.sortKey },
        values: { ":group": idGroup(prefix), ":prefix": prefix },
      },
      page: LISTED_AT_ONCE,
    });
    return collected(firstOf(this.#stillThere(walk), limit));
  }

  /** The index may lag behind. */
  async *#stillThere(walk: AsyncIterable<Item>): AsyncGenerator<string> {
    for await (const group of inGroups(walk, LISTED_AT_ONCE)) {
      const keys = group.map(keyOf);
      const found = await this.#table.getAll(keys);
      for (const key of keys) {
        const item = found.of(key);
        if (item !== undefined) yield rowOf(item).facts.id;
      }
    }
  }
}

function orderOf(item: Item): string {
  return String(item[byReward.sortKey]);
}

const VERDICTS = { true: true, false: false, unknown: null } as const;

function filterOf(selection: Selection): Expression | undefined {
  const conditions: string[] = [];
  const names: Record<string, string> = {};
  const values: Record<string, Value> = {};
  for (const fact of ["domain", "agent", "model", "format"] as const) {
    const value = selection[fact];
    if (value === undefined) continue;
    conditions.push(`#facts.#${fact} = :${fact}`);
    names["#facts"] = "facts";
    names[`#${fact}`] = fact;
    values[`:${fact}`] = value;
  }
  if (selection.success !== undefined) {
    const verdicts = [...new Set(selection.success)];
    conditions.push(`(${verdicts.map((verdict) => `#facts.#success = :${verdict}`).join(" or ")})`);
    names["#facts"] = "facts";
    names["#success"] = "success";
    for (const verdict of verdicts) values[`:${verdict}`] = VERDICTS[verdict];
  }
  if (selection.project !== undefined) {
    conditions.push("attribute_exists(#projects.#project)");
    names["#projects"] = "projects";
    names["#project"] = projectField(selection.project);
  }
  if (selection.includeSuperseded !== true) {
    conditions.push("attribute_not_exists(#supersededBy)");
    names["#supersededBy"] = "supersededBy";
  }
  return conditions.length === 0 ? undefined : { text: conditions.join(" and "), names, values };
}
