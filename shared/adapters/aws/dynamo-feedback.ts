import { z } from "zod";
import { type Feedback, meanFeedback } from "../../contracts/feedback.ts";
import type { FeedbackSet } from "../../ports/catalog.ts";
import { maybeRowOf, putRow, read } from "./catalog-items.ts";
import { feedbackKey, rowKey, trajectoryPk } from "./catalog-keys.ts";
import { attempt } from "./conflicts.ts";
import type { DynamoTable } from "./dynamo-table.ts";
import type { Write } from "./writes.ts";

/** Numbers that need not be integers are texts in the table. */
const feedbackSchema = z.object({ source: z.string(), score: z.string().transform(Number) });

/** What sources say of trajectories: an item each, and their mean in the row, changed in one transaction. */
export class DynamoFeedback {
  readonly #table: DynamoTable;

  constructor(table: DynamoTable) {
    this.#table = table;
  }

  async set(id: string, source: string, score: number | null): Promise<FeedbackSet> {
    return attempt(`trajectory ${id}`, async () => {
      const row = maybeRowOf(await this.#table.get(rowKey(id)));
      if (row === undefined) return "absent";
      const sources = new Map((await this.of(id)).map((feedback) => [feedback.source, feedback]));
      if (Object.is(sources.get(source)?.score ?? null, score)) return "unchanged";
      const key = feedbackKey(id, source);
      let change: Write;
      if (score === null) {
        sources.delete(source);
        change = { kind: "delete", key };
      } else {
        sources.set(source, { source, score });
        change = { kind: "put", item: { ...key, source, score: String(score) } };
      }
      // Whoever else gives feedback raises the version of the row too.
      const feedback = meanFeedback(sources.values()) ?? undefined;
      await this.#table.transact([putRow({ ...row, feedback }), change]);
      return "set";
    });
  }

  async of(id: string): Promise<readonly Feedback[]> {
    const all: Feedback[] = [];
    for await (const item of this.#table.partition(trajectoryPk(id), FEEDBACK)) {
      all.push(read<Feedback>(feedbackSchema, item));
    }
    return all;
  }
}

const FEEDBACK = "FEED#";
