import { z } from "zod";
import { DigestSet } from "../../columns/digest-set.ts";
import {
  type DatasetEntry,
  type DatasetRecord,
  type DatasetUse,
  type Fence,
  FencedError,
} from "../../ports/catalog.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Item } from "./attributes.ts";
import { eachOf } from "./batches.ts";
import { read } from "./catalog-items.ts";
import {
  DATASETS_PK,
  datasetKey,
  forgottenKey,
  forgottenPk,
  keyOf,
  ledgerKey,
  rowKey,
  tombKey,
  trajectoryPk,
  useKey,
} from "./catalog-keys.ts";
import { attempt } from "./conflicts.ts";
import { byBytes } from "./dynamo-places.ts";
import type { DynamoTable } from "./dynamo-table.ts";
import { inGroups } from "./walks.ts";
import { ABSENT, having, PRESENT, type Write } from "./writes.ts";

/** Rows counted in one transaction: each takes its note and its trajectory. */
const COUNTED_AT_ONCE = 50;
const SIDE_BY_SIDE = 8;

/** A dataset to be registered names a trajectory twice. */
export class RepeatedRowError extends Error {
  override readonly name = "RepeatedRowError";
  constructor(dataset: DatasetRecord, id: string) {
    const what = `dataset ${dataset.name} ${dataset.version} names trajectory ${id} twice`;
    super(`${what}; nothing was registered. Give each trajectory one row`);
  }
}

const datasetSchema = z.object({
  name: z.string(),
  version: z.string(),
  format: z.string(),
  rows: z.number(),
  createdAt: z.number(),
  announced: z.boolean(),
});

const useSchema = z.object({ name: z.string(), version: z.string(), split: z.string() });

/** Datasets, and how often each trajectory was exported. */
export class DynamoDatasets {
  readonly #table: DynamoTable;
  readonly #clock: Clock;

  constructor(table: DynamoTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Rows are noted and counted group by group, each row along with a note that it was; the dataset itself comes last
   * and makes them visible. So a registration that was cut off is completed by repeating it, and counts no row twice.
   * @throws RepeatedRowError, FencedError, CatalogBusyError
   */
  async register(dataset: DatasetRecord, fence?: Fence): Promise<"registered" | "known"> {
    const seen = new DigestSet();
    for (const { id } of dataset.rows) if (!seen.add(id)) throw new RepeatedRowError(dataset, id);
    if ((await this.#state(dataset, fence)) === "known") return "known";
    // A few rows at a time: of a million, no second list is made.
    await eachOf(inGroups(dataset.rows, COUNTED_AT_ONCE), SIDE_BY_SIDE, (rows) => this.#count(dataset, rows));
    return attempt(`dataset ${dataset.name} ${dataset.version}`, () => this.#complete(dataset, fence));
  }

  async #state(dataset: DatasetRecord, fence: Fence | undefined): Promise<"known" | "new"> {
    const key = datasetKey(dataset.name, dataset.version);
    const found = await this.#table.getAll(fence === undefined ? [key] : [key, ledgerKey(fence.key)]);
    if (fence !== undefined && found.of(ledgerKey(fence.key))?.["version"] !== fence.version) {
      throw new FencedError(fence);
    }
    return found.of(key) === undefined ? "new" : "known";
  }

  async #count(dataset: DatasetRecord, rows: readonly Registered[]): Promise<void> {
    const { name, version } = dataset;
    await attempt(`dataset ${name} ${version}`, async () => {
      const keys = rows.flatMap(({ id }) => [useKey(id, dataset), rowKey(id)]);
      const found = await this.#table.getAll(keys);
      const gone = rows.filter(({ id }) => found.of(rowKey(id)) === undefined);
      const tombs = await this.#table.getAll(gone.map(({ id }) => tombKey(id)));
      const writes: Write[] = [];
      for (const { id, split } of rows) {
        const use = useKey(id, dataset);
        if (found.of(use) !== undefined) continue;
        writes.push({ kind: "put", item: { ...use, name, version, split }, when: ABSENT });
        // One that was forgotten meanwhile is noted all the same: its row stands in the dataset, which is marked.
        if (tombs.of(tombKey(id)) !== undefined) {
          writes.push({ kind: "put", item: { ...forgottenKey(id, dataset) } });
          continue;
        }
        if (found.of(rowKey(id)) === undefined) continue;
        const add = { exportCount: 1, version: 1 };
        writes.push({ kind: "update", key: rowKey(id), add, when: PRESENT });
      }
      if (writes.length > 0) await this.#table.transact(writes);
    });
  }

  async #complete(dataset: DatasetRecord, fence: Fence | undefined): Promise<"registered" | "known"> {
    if ((await this.#state(dataset, fence)) === "known") return "known";
    const { name, version, format, rows } = dataset;
    const entry = { name, version, format, rows: rows.length, createdAt: this.#clock.now() };
    const item = { ...datasetKey(name, version), ...entry, announced: false };
    const held: readonly Write[] =
      fence === undefined
        ? []
        : [{ kind: "check", key: ledgerKey(fence.key), when: having({ version: fence.version }) }];
    await this.#table.transact([{ kind: "put", item, when: ABSENT }, ...held]);
    return "registered";
  }

  async has(name: string, version: string): Promise<boolean> {
    return (await this.#table.get(datasetKey(name, version))) !== undefined;
  }

  /** They come sorted by name and version; those of one name are held to be sorted by time. */
  async *all(): AsyncGenerator<DatasetEntry> {
    let group: DatasetEntry[] = [];
    for await (const item of this.#table.partition(DATASETS_PK)) {
      const entry = read<DatasetEntry>(datasetSchema, item);
      if (group[0] !== undefined && group[0].name !== entry.name) {
        yield* group.sort(byTime);
        group = [];
      }
      group.push(entry);
    }
    yield* group.sort(byTime);
  }

  async announce(name: string, version: string): Promise<void> {
    const key = datasetKey(name, version);
    await this.#table.write({ kind: "update", key, set: { announced: true }, add: {}, when: PRESENT });
  }

  /** Marks the datasets that hold a forgotten trajectory; its tombstone stands, so no row of it is counted any more. */
  async markForgotten(id: string): Promise<void> {
    const uses: DatasetUse[] = [];
    for await (const item of this.#table.partition(trajectoryPk(id), "SET#")) uses.push(useOf(item));
    await this.#table.putAll(uses.map((use) => ({ ...forgottenKey(id, use) })));
  }

  async forgottenIn(dataset: {
    readonly name: string;
    readonly version: string;
  }): Promise<readonly string[]> {
    const ids: string[] = [];
    if (!(await this.has(dataset.name, dataset.version))) return ids;
    for await (const item of this.#table.partition(forgottenPk(dataset))) ids.push(keyOf(item).sk);
    return ids;
  }

  async of(id: string): Promise<readonly DatasetUse[]> {
    const uses: DatasetUse[] = [];
    for await (const item of this.#table.partition(trajectoryPk(id), "SET#")) uses.push(useOf(item));
    // A registration that was cut off has left notes of a dataset that there is not.
    const keyOfUse = ({ name, version }: DatasetUse) => datasetKey(name, version);
    const found = await this.#table.getAll(uses.map(keyOfUse));
    return uses
      .filter((use) => found.of(keyOfUse(use)) !== undefined)
      .sort((first, second) => byBytes(first.name, second.name) || byBytes(first.version, second.version));
  }
}

type Registered = DatasetRecord["rows"] extends Iterable<infer Row> ? Row : never;

function useOf(item: Item): DatasetUse {
  return read<DatasetUse>(useSchema, item);
}

function byTime(first: DatasetEntry, second: DatasetEntry): number {
  return first.createdAt - second.createdAt || byBytes(first.version, second.version);
}
