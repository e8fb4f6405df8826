import type { CatalogEntry, ScoreRow, SourcePlace } from "../../contracts/catalog-row.ts";
import type { Feedback, NewFeedback } from "../../contracts/feedback.ts";
import type {
  Added,
  AddOptions,
  Catalog,
  DatasetEntry,
  DatasetRecord,
  DatasetUse,
  FeedbackSet,
  Fence,
  Forgotten,
  NewTrajectory,
  ObjectState,
  ScoreSet,
  Seen,
  Selection,
} from "../../ports/catalog.ts";
import type { Clock } from "../../ports/clock.ts";
import { entryOf, maybeRowOf, rowOf } from "./catalog-items.ts";
import { keyOf, revisionKey, rowKey, tombKey, trajectoryPk } from "./catalog-keys.ts";
import { attempt } from "./conflicts.ts";
import { DynamoAdding } from "./dynamo-adding.ts";
import { DynamoDatasets } from "./dynamo-datasets.ts";
import { DynamoFeedback } from "./dynamo-feedback.ts";
import { DynamoForgetting } from "./dynamo-forgetting.ts";
import { DynamoPlaces } from "./dynamo-places.ts";
import { DynamoScores } from "./dynamo-scores.ts";
import { DynamoSelection } from "./dynamo-selection.ts";
import { DynamoSessions } from "./dynamo-sessions.ts";
import { DynamoTable, type DynamoTableOptions } from "./dynamo-table.ts";
import { having, MOST_WRITES } from "./writes.ts";

/** `items`: a table that is shared with a ledger. */
export type CatalogOptions = (DynamoTableOptions | { readonly items: DynamoTable }) & {
  readonly clock: Clock;
};

/**
 * The catalog in one DynamoDB table, for any number of processes at once; `catalog-keys.ts` says what stands where.
 * A change is one transaction, conditional on what it was worked out from; where another writer came first, it is
 * worked out again. `finishObject`, `registerDataset` and `forget` may take several, and go on where they were cut
 * off. The client is the caller's: it stays open, and should repeat throttled requests (`retryMode`, `maxAttempts`).
 */
export class DynamoCatalog implements Catalog {
  readonly #table: DynamoTable;
  readonly #places: DynamoPlaces;
  readonly #adding: DynamoAdding;
  readonly #scores: DynamoScores;
  readonly #feedback: DynamoFeedback;
  readonly #selection: DynamoSelection;
  readonly #datasets: DynamoDatasets;
  readonly #forgetting: DynamoForgetting;

  constructor({ clock, ...options }: CatalogOptions) {
    const table = "items" in options ? options.items : new DynamoTable(options);
    this.#table = table;
    this.#places = new DynamoPlaces(table);
    const sessions = new DynamoSessions(table);
    this.#adding = new DynamoAdding({ table, places: this.#places, sessions, clock });
    this.#scores = new DynamoScores(table);
    this.#feedback = new DynamoFeedback(table);
    this.#selection = new DynamoSelection(table);
    this.#datasets = new DynamoDatasets(table, clock);
    this.#forgetting = new DynamoForgetting({
      table,
      places: this.#places,
      datasets: this.#datasets,
      clock,
    });
  }

  async object(key: string): Promise<ObjectState | undefined> {
    return this.#places.object(key);
  }

  objects(): AsyncIterable<ObjectState> {
    return this.#places.objects();
  }

  async finishObject(state: ObjectState): Promise<void> {
    await this.#places.finish(state);
  }

  async noteReport(key: string): Promise<void> {
    await this.#places.noteReport(key);
  }

  async see(trajectory: NewTrajectory): Promise<Seen> {
    return this.#adding.see(trajectory);
  }

  /** @throws ForgottenMeanwhileError, CatalogBusyError */
  async add(trajectory: NewTrajectory, options?: AddOptions): Promise<Added> {
    return this.#adding.add(trajectory, options);
  }

  async setScore(id: string, score: ScoreRow, options?: { readonly revision: string }): Promise<ScoreSet> {
    return this.#scores.set(id, score, options);
  }

  async scoredCount(project?: string): Promise<number> {
    return this.#scores.count(project);
  }

  async unscored(options: { readonly before: number; readonly limit: number }): Promise<readonly string[]> {
    return this.#scores.unscored(options);
  }

  async setFeedback(id: string, { source, score }: NewFeedback): Promise<FeedbackSet> {
    return this.#feedback.set(id, source, score);
  }

  async feedbackOf(id: string): Promise<readonly Feedback[]> {
    return this.#feedback.of(id);
  }

  async entry(id: string): Promise<CatalogEntry | undefined> {
    const row = maybeRowOf(await this.#table.get(rowKey(id)));
    return row === undefined ? undefined : entryOf(row);
  }

  async idsWithPrefix(prefix: string, limit: number): Promise<readonly string[]> {
    return this.#selection.idsWithPrefix(prefix, limit);
  }

  select(selection: Selection): AsyncIterable<CatalogEntry> {
    return this.#selection.select(selection);
  }

  async places(id: string): Promise<readonly SourcePlace[]> {
    return this.#places.placesOf(id);
  }

  async idsFrom(dropKey: string): Promise<readonly string[]> {
    return this.#places.idsFrom(dropKey);
  }

  async revisions(id: string): Promise<readonly string[]> {
    const revisions: string[] = [];
    for await (const item of this.#table.partition(trajectoryPk(id), REVISION)) {
      revisions.push(keyOf(item).sk.slice(REVISION.length));
    }
    return revisions;
  }

  async pruneRevisions(id: string): Promise<void> {
    await attempt(`trajectory ${id}`, async () => {
      const item = await this.#table.get(rowKey(id));
      if (item === undefined) return;
      const { facts, version } = rowOf(item);
      const old = (await this.revisions(id)).filter((revision) => revision !== facts.revision);
      // The row must not return to one of them meanwhile.
      const unchanged = { kind: "check", key: rowKey(id), when: having({ version }) } as const;
      for (let start = 0; start < old.length; start += MOST_WRITES - 1) {
        const some = old.slice(start, start + MOST_WRITES - 1);
        const keys = some.map((revision) => revisionKey(id, revision));
        await this.#table.transact([unchanged, ...keys.map((key) => ({ kind: "delete", key }) as const)]);
      }
    });
  }

  /** @throws RepeatedRowError, FencedError, CatalogBusyError */
  async registerDataset(dataset: DatasetRecord, fence?: Fence): Promise<"registered" | "known"> {
    return this.#datasets.register(dataset, fence);
  }

  async hasDataset(name: string, version: string): Promise<boolean> {
    return this.#datasets.has(name, version);
  }

  datasets(): AsyncIterable<DatasetEntry> {
    return this.#datasets.all();
  }

  async announceDataset(name: string, version: string): Promise<void> {
    await this.#datasets.announce(name, version);
  }

  async datasetsOf(id: string): Promise<readonly DatasetUse[]> {
    return this.#datasets.of(id);
  }

  async forgottenIn(name: string, version: string): Promise<readonly string[]> {
    return this.#datasets.forgottenIn({ name, version });
  }

  async forget(id: string): Promise<Forgotten> {
    return this.#forgetting.forget(id);
  }

  async forgotten(id: string): Promise<boolean> {
    return (await this.#table.get(tombKey(id))) !== undefined;
  }

  /** Every change is durable when it returns. */
  async flush(): Promise<void> {}

  async close(): Promise<void> {}
}

const REVISION = "REV#";
