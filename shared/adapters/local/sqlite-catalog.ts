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
  Known,
  NewTrajectory,
  ObjectState,
  ScoreSet,
  Seen,
  Selection,
} from "../../ports/catalog.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ledger } from "../../ports/ledger.ts";
import {
  addValues,
  entryOf,
  INSERT_SQL,
  objectOf,
  selectionSql,
  textOf,
  UPDATE_SQL,
} from "./catalog-rows.ts";
import { SqliteDatasets } from "./sqlite-datasets.ts";
import { SqliteFeedback } from "./sqlite-feedback.ts";
import { SqliteLedger } from "./sqlite-ledger.ts";
import { SqliteSession } from "./sqlite-session.ts";

const KNOWN_SQL = `select exists (select 1 from tombstones where id = ?) as dead,
  (select revision from trajectories where id = ?) as revision,
  exists (select 1 from tombstones where session_key = ?) as session_dead`;

const SCORE_SQL =
  "update trajectories set scorer = ?, reward = ?, process = ?, outcome = ?, efficiency = ? where id = ?";
const COUNT_SQL = "insert into scored values (?, 1) on conflict (project) do update set total = total + 1";

/**
 * The catalog in one SQLite file (WAL, one writer). Changes are grouped: a commit follows after 256 of them, at
 * `flush` and at `close`. Since stages write objects first and repeat safely, a kill loses only work, never data.
 */
export class SqliteCatalog implements Catalog {
  readonly ledger: Ledger;
  readonly #sql: SqliteSession;
  readonly #datasets: SqliteDatasets;
  readonly #feedback: SqliteFeedback;
  readonly #clock: Clock;

  constructor(options: { readonly path: string; readonly clock: Clock; readonly readOnly?: boolean }) {
    this.#clock = options.clock;
    this.#sql = new SqliteSession(options.path, options.readOnly ?? false);
    this.#datasets = new SqliteDatasets(this.#sql);
    this.#feedback = new SqliteFeedback(this.#sql);
    this.ledger = new SqliteLedger(this.#sql);
  }

  async object(key: string): Promise<ObjectState | undefined> {
    const row = this.#sql.get("select * from objects where key = ?", key);
    return row === undefined ? undefined : objectOf(row);
  }

  async *objects(): AsyncIterable<ObjectState> {
    for (const row of this.#sql.each("select * from objects order by key")) yield objectOf(row);
  }

  async finishObject(state: ObjectState): Promise<void> {
    this.#sql.change(() => {
      this.#sql.run(
        "delete from places where object_key = ? and generation <> ?",
        state.key,
        state.fingerprint,
      );
      this.#sql.run(
        "insert or replace into objects values (?, ?, ?, ?, ?, ?, ?)",
        state.key,
        state.project,
        state.fingerprint,
        state.revision,
        state.records,
        state.trajectories,
        state.rejected,
      );
    });
  }

  /** Nothing is finished along with a trajectory here, so that nothing needs to be noted for it. */
  async noteReport(): Promise<void> {}

  async see(trajectory: NewTrajectory): Promise<Seen> {
    return { known: this.#known(trajectory) };
  }

  #known({ row: { id, revision }, session }: NewTrajectory): Known {
    const row = this.#sql.get(KNOWN_SQL, id, id, session?.key ?? null);
    if (row === undefined || row["dead"] === 1) return "forgotten";
    if (row["revision"] !== null) return row["revision"] === revision ? "known" : "other-revision";
    return row["session_dead"] === 1 ? "forgotten" : "absent";
  }

  async add(trajectory: NewTrajectory, { score }: AddOptions = {}): Promise<Added> {
    return this.#sql.change(() => {
      const added = this.#add(trajectory);
      if (score === undefined || (added.kind !== "new" && added.kind !== "superseded")) return added;
      this.#setScore(trajectory.row.id, score);
      return { ...added, scored: true };
    });
  }

  async setScore(id: string, score: ScoreRow, options?: { readonly revision: string }): Promise<ScoreSet> {
    return this.#sql.change(() => this.#setScore(id, score, options));
  }

  #setScore(id: string, score: ScoreRow, options?: { readonly revision: string }): ScoreSet {
    const before = this.#sql.get("select scorer, revision from trajectories where id = ?", id);
    if (before === undefined) return "absent";
    if (options !== undefined && before["revision"] !== options.revision) return "stale";
    const { scorer, reward, process, outcome, efficiency } = score;
    this.#sql.run(SCORE_SQL, scorer, reward, process, outcome, efficiency, id);
    if (before["scorer"] !== null) return "again";
    this.#sql.run(COUNT_SQL, "");
    for (const row of this.#sql.statement("select distinct project from places where id = ?").all(id)) {
      this.#sql.run(COUNT_SQL, textOf(row["project"]));
    }
    return "first";
  }

  async scoredCount(project = ""): Promise<number> {
    return Number(this.#sql.get("select total from scored where project = ?", project)?.["total"] ?? 0);
  }

  async unscored(options: { readonly before: number; readonly limit: number }): Promise<readonly string[]> {
    const sql = `select id from trajectories where scorer is null and created_at < ?
      order by created_at, id limit ?`;
    return [...this.#sql.each(sql, options.before, options.limit)].map((row) => textOf(row["id"]));
  }

  async setFeedback(id: string, { source, score }: NewFeedback): Promise<FeedbackSet> {
    return this.#feedback.set(id, source, score);
  }

  async feedbackOf(id: string): Promise<readonly Feedback[]> {
    return this.#feedback.of(id);
  }

  async entry(id: string): Promise<CatalogEntry | undefined> {
    const row = this.#sql.get("select * from trajectories where id = ?", id);
    return row === undefined ? undefined : entryOf(row);
  }

  async idsWithPrefix(prefix: string, limit: number): Promise<readonly string[]> {
    const sql = "select id from trajectories where id >= ? and id < ? order by id limit ?";
    return [...this.#sql.each(sql, prefix, `${prefix}g`, limit)].map((row) => textOf(row["id"]));
  }

  async *select(selection: Selection): AsyncIterable<CatalogEntry> {
    const { sql, parameters } = selectionSql(selection);
    for (const row of this.#sql.each(sql, ...parameters)) yield entryOf(row);
  }

  async places(id: string): Promise<readonly SourcePlace[]> {
    const sql = "select * from places where id = ? order by object_key, entry, position, ordinal";
    return [...this.#sql.each(sql, id)].map((row) => ({
      key: textOf(row["object_key"]),
      project: textOf(row["project"]),
      entry: row["entry"] === "" ? null : textOf(row["entry"]),
      index: Number(row["position"]),
      line: row["line"] === null ? null : Number(row["line"]),
      jsonPath: row["json_path"] === null ? null : textOf(row["json_path"]),
      ordinal: Number(row["ordinal"]),
    }));
  }

  async idsFrom(dropKey: string): Promise<readonly string[]> {
    const sql = "select id from places where object_key = ? order by entry, position, ordinal";
    return [...this.#sql.each(sql, dropKey)].map((row) => textOf(row["id"]));
  }

  async revisions(id: string): Promise<readonly string[]> {
    const rows = this.#sql.each("select revision from revisions where id = ? order by revision", id);
    return [...rows].map((row) => textOf(row["revision"]));
  }

  async pruneRevisions(id: string): Promise<void> {
    const sql = `delete from revisions where id = ?
      and revision <> (select revision from trajectories t where t.id = revisions.id)`;
    this.#sql.change(() => this.#sql.run(sql, id));
  }

  async registerDataset(dataset: DatasetRecord, fence?: Fence): Promise<"registered" | "known"> {
    const now = this.#clock.now();
    return this.#datasets.register(dataset, { now, ...(fence === undefined ? {} : { fence }) });
  }

  async hasDataset(name: string, version: string): Promise<boolean> {
    return this.#datasets.has(name, version);
  }

  async *datasets(): AsyncIterable<DatasetEntry> {
    yield* this.#datasets.all();
  }

  async announceDataset(name: string, version: string): Promise<void> {
    this.#datasets.announce(name, version);
  }

  async datasetsOf(id: string): Promise<readonly DatasetUse[]> {
    return this.#datasets.of(id);
  }

  async forgottenIn(name: string, version: string): Promise<readonly string[]> {
    return this.#datasets.forgottenIn(name, version);
  }

  async forget(id: string): Promise<Forgotten> {
    return this.#sql.change(() => {
      // Those buried with it before count again: a kill may have left their objects.
      const sql = `with recursive gone(id) as (
          select ? union select t.id from trajectories t join gone on t.superseded_by = gone.id
        ) select id from gone union select id from tombstones where root = ?`;
      const ids = [...this.#sql.each(sql, id, id)].map((row) => textOf(row["id"]));
      for (const gone of ids) this.#bury(gone, id);
      const orphans = `select distinct b.sha256 from blobs b join tombstones t on t.id = b.id where t.root = ?
        and not exists (select 1 from blobs o join trajectories live on live.id = o.id where o.sha256 = b.sha256)`;
      return { ids, orphanBlobs: [...this.#sql.each(orphans, id)].map((blob) => textOf(blob["sha256"])) };
    });
  }

  async forgotten(id: string): Promise<boolean> {
    return this.#sql.get("select 1 from tombstones where id = ?", id) !== undefined;
  }

  async flush(): Promise<void> {
    this.#sql.commit();
  }

  async close(): Promise<void> {
    this.#sql.close();
  }

  #add(trajectory: NewTrajectory): Added {
    const { row, place, session, generation } = trajectory;
    const before = this.#sql.get("select revision, scorer from trajectories where id = ?", row.id);
    if (before !== undefined && before["scorer"] !== null && !this.#isIn(row.id, place.project)) {
      this.#sql.run(COUNT_SQL, place.project);
    }
    this.#sql.run(
      "insert or replace into places values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.id,
      place.key,
      place.entry ?? "",
      place.index,
      place.ordinal,
      place.project,
      place.line,
      place.jsonPath,
      generation,
    );
    if (before?.["revision"] === row.revision) return { kind: "duplicate" };
    this.#sql.run("insert or ignore into revisions values (?, ?)", row.id, row.revision);
    for (const sha256 of trajectory.blobs)
      this.#sql.run("insert or ignore into blobs values (?, ?)", sha256, row.id);
    const values = addValues(trajectory);
    if (before !== undefined) {
      this.#sql.run(UPDATE_SQL, ...values, row.id);
      return { kind: "revised" };
    }
    this.#sql.run(INSERT_SQL, ...values, this.#clock.now());
    return session === undefined ? { kind: "new", supersedes: [] } : this.#supersede(row.id, session);
  }

  /** Of two logs of one session where one starts like the other, the longer one counts. */
  #supersede(id: string, session: NonNullable<NewTrajectory["session"]>): Added {
    const mine = Buffer.from(session.prefixes);
    const supersedes: string[] = [];
    // Many rows may name one session and have nothing in common: only those that start alike are looked at.
    const sql = `select id, prefixes from trajectories
      where session_key = ? and substr(prefixes, 1, 8) = ? and id <> ? and superseded_by is null`;
    for (const other of this.#sql.statement(sql).all(session.key, mine.subarray(0, 8), id)) {
      const theirs = Buffer.from(other["prefixes"] as Uint8Array);
      const shorter = Math.min(mine.length, theirs.length);
      if (shorter === 0 || !mine.subarray(0, shorter).equals(theirs.subarray(0, shorter))) continue;
      if (mine.length > theirs.length) {
        this.#sql.run("update trajectories set superseded_by = ? where id = ?", id, textOf(other["id"]));
        supersedes.push(textOf(other["id"]));
      } else if (mine.length < theirs.length) {
        this.#sql.run("update trajectories set superseded_by = ? where id = ?", textOf(other["id"]), id);
        return { kind: "superseded", by: textOf(other["id"]) };
      }
    }
    return { kind: "new", supersedes };
  }

  #isIn(id: string, project: string): boolean {
    return this.#sql.get("select 1 from places where id = ? and project = ?", id, project) !== undefined;
  }

  #bury(id: string, root: string): void {
    const row = this.#sql.get("select session_key from trajectories where id = ?", id);
    this.#sql.run(
      "insert or ignore into tombstones values (?, ?, ?, ?)",
      id,
      row?.["session_key"] ?? null,
      root,
      this.#clock.now(),
    );
    for (const table of ["places", "revisions", "feedback", "trajectories"]) {
      this.#sql.run(`delete from ${table} where id = ?`, id);
    }
  }
}
