import { type Feedback, meanFeedback } from "../../contracts/feedback.ts";
import type { FeedbackSet } from "../../ports/catalog.ts";
import { textOf } from "./catalog-rows.ts";
import type { SqliteSession } from "./sqlite-session.ts";

/** What sources say of trajectories. */
export class SqliteFeedback {
  readonly #sql: SqliteSession;
  /** Looked for once it is asked for: a catalog of an earlier version that is only read has no such table. */
  #exists = false;

  constructor(sql: SqliteSession) {
    this.#sql = sql;
  }

  set(id: string, source: string, score: number | null): FeedbackSet {
    return this.#sql.change(() => {
      if (this.#sql.get("select 1 from trajectories where id = ?", id) === undefined) return "absent";
      const before = this.of(id).find((feedback) => feedback.source === source)?.score ?? null;
      if (Object.is(before, score)) return "unchanged";
      if (score === null) this.#sql.run("delete from feedback where id = ? and source = ?", id, source);
      else this.#sql.run("insert or replace into feedback values (?, ?, ?)", id, source, score);
      this.#sql.run("update trajectories set feedback = ? where id = ?", meanFeedback(this.of(id)), id);
      return "set";
    });
  }

  of(id: string): readonly Feedback[] {
    this.#exists ||= this.#sql.get("select 1 from sqlite_master where name = 'feedback'") !== undefined;
    if (!this.#exists) return [];
    const rows = this.#sql.each("select source, score from feedback where id = ? order by source", id);
    return [...rows].map((row) => ({ source: textOf(row["source"]), score: Number(row["score"]) }));
  }
}
