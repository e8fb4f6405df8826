import type { CatalogRow, ScoreRow } from "../contracts/catalog-row.ts";
import { blobKey, projectOf, scoreKey, trajectoryKey } from "../contracts/keys.ts";
import {
  type Added,
  type AddOptions,
  type Catalog,
  ForgottenMeanwhileError,
  type NewTrajectory,
  type ObjectState,
} from "../ports/catalog.ts";
import {
  type Compute,
  type ComputedRecord,
  type ComputedTrajectory,
  ComputeLostError,
} from "../ports/compute.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ReadingLimits } from "../reading/limits.ts";
import { readRecords } from "../reading/read-records.ts";
import { type Rejection, rejectionOf } from "../reading/rejection.ts";
import type { ByteSource, RecordFramer, SourceRecord } from "../reading/source.ts";
import { readDocument } from "./compute-tasks.ts";
import { placeOf, sessionOf } from "./ingest-place.ts";
import { writeRejections } from "./rejection-report.ts";
import { releaseBytes } from "./release-bytes.ts";
import { type ScoreMessage, score } from "./score.ts";
import { hasEvidence } from "./score-evidence.ts";

export interface IngestMessage {
  readonly source: ByteSource;
  /** Changes whenever the object does. */
  readonly fingerprint: string;
  /** Revision of the settings in force. */
  readonly revision: string;
}

export interface IngestPorts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly compute: Compute;
  readonly limits: ReadingLimits;
  readonly framer: RecordFramer;
  /** Resolves when this object may write: keeps the order of the drop while objects are computed side by side. */
  readonly turn?: Promise<void>;
  /** What becomes of a stored trajectory; by default it is scored at once. */
  readonly follow?: (stored: StoredTrajectory) => Promise<unknown>;
  /** Told of each trajectory when its bytes are stored and nobody reads them again. */
  readonly onStored?: (trajectory: ComputedTrajectory) => void;
  /**
   * Present: the score that was computed along with a new trajectory is stored along with it, and this takes the place
   * of `follow`. It is for what may be left out: the object may be done with before it is called.
   */
  readonly scored?: (id: string) => Promise<unknown>;
  /** Says, before each record is stored, that there is not enough time for it: ingest then throws OutOfTimeError. */
  readonly outOfTime?: () => boolean;
}

/** The time ran out in the middle of an object. What is stored of it stays; it must be read again, with more time. */
export class OutOfTimeError extends Error {
  override readonly name = "OutOfTimeError";
  constructor(key: string) {
    super(`there was not enough time to take in ${JSON.stringify(key)}`);
  }
}

/** A trajectory that is in store and catalog. */
export interface StoredTrajectory extends ScoreMessage {
  readonly outcome: IngestOutcome;
}

export type IngestOutcome = Added["kind"] | "forgotten";

export interface IngestedItem {
  readonly row: CatalogRow;
  readonly outcome: IngestOutcome;
  readonly score: ScoreRow | null;
  readonly domain: string;
}

export interface IngestReport {
  readonly key: string;
  readonly records: number;
  readonly items: readonly IngestedItem[];
  /** How many there were of each kind; `items` may be cut. */
  readonly counts: Readonly<Record<IngestOutcome, number>>;
  readonly rejected: number;
  /** How many first scores were stored along with their trajectories. */
  readonly scored: number;
  /** At most `maxRejectionsPerFile` of them. */
  readonly rejections: readonly Rejection[];
}

/** Bytes of records under way for one object: enough to keep all threads busy, little enough to hold. */
const WINDOW_BYTES = 4 << 20;
const WINDOW_RECORDS = 256;
/** Scores of one object that are being written while the next trajectories are stored. */
const FOLLOWING = 16;
/** Items kept for the report of one object; the catalog has them all. */
const REPORTED = 1000;

interface UnderWay {
  readonly record: SourceRecord;
  readonly size: number;
  readonly result: Promise<ComputedRecord>;
}

/**
 * Takes in one dropped object: reads its records in bounded memory, has them computed side by side and stores the
 * results in order, documents before catalog rows. May be repeated at any time, after a kill or a second delivery,
 * and then changes nothing. What cannot be read stands in the object's report under `rejected/`.
 */
export async function ingest(message: IngestMessage, ports: IngestPorts): Promise<IngestReport> {
  const { source } = message;
  const run = new ObjectRun(message, ports);
  const underWay: UnderWay[] = [];
  let bytes = 0;
  const settleOne = async (all = false): Promise<void> => {
    const next = underWay.shift();
    if (next === undefined) return;
    bytes -= next.size;
    if (ports.outOfTime?.() === true) throw new OutOfTimeError(source.name);
    const result = await settled(next);
    await ports.turn;
    await run.store(next.record, result, all && underWay.length === 0);
  };
  try {
    for await (const item of readRecords({ source, limits: ports.limits, framer: ports.framer })) {
      if (item.kind === "rejected") {
        run.reject(item.rejection);
        continue;
      }
      const { record } = item;
      run.records += 1;
      const size = record.bytes.length;
      const result = ports.compute.ingest(record);
      // A fault is met when its turn comes; until then it must not count as unhandled.
      result.catch(() => undefined).finally(() => releaseBytes(record.bytes));
      underWay.push({ record: { ...record, bytes: EMPTY }, size, result });
      bytes += size;
      while (bytes > WINDOW_BYTES || underWay.length >= WINDOW_RECORDS) await settleOne();
    }
    while (underWay.length > 0) await settleOne(true);
  } finally {
    await Promise.allSettled([...underWay.map(({ result }) => result), run.settle()]);
  }
  await ports.turn;
  return run.finish();
}

const EMPTY = new Uint8Array(0);

/** A record that no thread survives is rejected like any other bad one. */
async function settled(next: UnderWay): Promise<ComputedRecord> {
  try {
    return await next.result;
  } catch (error) {
    if (!(error instanceof ComputeLostError)) throw error;
    const { source, entry, line, jsonPath } = next.record;
    const fault = {
      code: "compute-lost",
      reason: "a thread ran out of memory or stopped while it worked on the record, twice",
      remedy:
        "lower the limit maxRecordBytes or give the process more memory (NODE_OPTIONS=--max-old-space-size)",
    };
    return { trajectories: [], rejections: [rejectionOf({ source, entry, line, jsonPath }, fault)] };
  }
}

class ObjectRun {
  records = 0;
  readonly #message: IngestMessage;
  readonly #ports: IngestPorts;
  readonly #items: IngestedItem[] = [];
  readonly #rejections: Rejection[] = [];
  readonly #following = new Set<Promise<void>>();
  #fault: { readonly error: unknown } | undefined;
  #rejected = 0;
  #stored = 0;
  #scored = 0;
  #finished = false;
  readonly #counts: Record<IngestOutcome, number> = {
    new: 0,
    duplicate: 0,
    revised: 0,
    superseded: 0,
    forgotten: 0,
  };

  constructor(message: IngestMessage, ports: IngestPorts) {
    this.#message = message;
    this.#ports = ports;
  }

  reject(rejection: Rejection): void {
    this.#rejected += 1;
    if (this.#rejections.length < this.#ports.limits.maxRejectionsPerFile) this.#rejections.push(rejection);
  }

  /** @param last nothing comes after it */
  async store(record: SourceRecord, computed: ComputedRecord, last: boolean): Promise<void> {
    for (const rejection of computed.rejections) this.reject(rejection);
    for (const trajectory of computed.trajectories) {
      const isAll = last && computed.trajectories.length === 1 && this.#stored + this.#rejected === 0;
      const outcome = await this.#storeOne(record, trajectory, isAll);
      this.#counts[outcome] += 1;
      if (this.#items.length >= REPORTED) continue;
      const { row, score: computedScore } = trajectory;
      this.#items.push({
        row,
        outcome,
        score: computedScore?.row ?? null,
        domain: computedScore?.domain ?? row.domain,
      });
    }
  }

  async finish(): Promise<IngestReport> {
    await this.settle();
    const { catalog, store } = this.#ports;
    const { source } = this.#message;
    const rejections = this.#rejections;
    if (!this.#finished) {
      await writeRejections({ object: source.name, total: this.#rejected, rejections }, store);
      await catalog.finishObject(this.#state());
    }
    return {
      key: source.name,
      records: this.records,
      items: this.#items,
      counts: this.#counts,
      rejected: this.#rejected,
      scored: this.#scored,
      rejections: this.#rejections,
    };
  }

  #state(): ObjectState {
    const { source, fingerprint, revision } = this.#message;
    return {
      key: source.name,
      project: projectOf(source.name),
      fingerprint,
      revision,
      records: this.records,
      trajectories: this.#stored,
      rejected: this.#rejected,
    };
  }

  async #storeOne(
    record: SourceRecord,
    computed: ComputedTrajectory,
    isAll: boolean,
  ): Promise<IngestOutcome> {
    const { catalog, ledger, store, scored } = this.#ports;
    const { row } = computed;
    const project = projectOf(record.source);
    const session = sessionOf(computed, { project, record });
    const trajectory: NewTrajectory = {
      row: { ...row, domain: computed.score?.domain ?? row.domain },
      place: placeOf(record, { project, ordinal: computed.ordinal }),
      generation: this.#message.fingerprint,
      ...(session === undefined ? {} : { session }),
      blobs: computed.blobs.map(({ sha256 }) => sha256),
    };
    const computedScore = scored === undefined ? undefined : computed.score;
    const [seen, isJudged] = await Promise.all([
      catalog.see(trajectory),
      computedScore !== undefined && hasEvidence(row.id, ledger),
    ]);
    if (seen.known === "forgotten") return "forgotten";
    this.#stored += 1;
    const key = trajectoryKey(row.id);
    // Only a first score can come along, and only one that nobody has said anything about.
    const along = seen.known === "absent" && !isJudged ? computedScore : undefined;
    const alongKey = along && scoreKey(row.id, along.row.scorer);
    const writes: Promise<unknown>[] = computed.blobs.map(({ sha256, bytes }) =>
      store.putIfAbsent(blobKey(sha256), bytes),
    );
    if (seen.known === "other-revision") writes.push(this.#revise(row.id, computed.document));
    else writes.push(store.putIfAbsent(key, computed.document));
    if (along !== undefined && alongKey !== undefined) writes.push(store.put(alongKey, along.bytes));
    await allOf(writes);
    const options: AddOptions = {
      seen,
      ...(along === undefined ? {} : { score: along.row, finish: isAll ? this.#state() : undefined }),
    };
    const added = await this.#add(trajectory, options, alongKey === undefined ? [key] : [alongKey, key]);
    if (added === "forgotten") return added;
    this.#finished = added.finished === true;
    if (scored !== undefined && added.scored === true) {
      this.#scored += 1;
      await this.#follow(scored(row.id));
      return added.kind;
    }
    // A duplicate is followed up all the same: the run that stored it may have been killed before it did.
    const follow = this.#ports.follow ?? ((stored) => score(stored, this.#ports));
    const withScore = computed.score === undefined ? {} : { computed: computed.score };
    const followed = follow({ id: row.id, key, outcome: added.kind, ...withScore });
    await this.#follow(followed.finally(() => this.#ports.onStored?.(computed)));
    return added.kind;
  }

  /** What was forgotten in this very moment leaves no document behind. */
  async #add(
    trajectory: NewTrajectory,
    options: AddOptions,
    keys: readonly string[],
  ): Promise<Added | "forgotten"> {
    const { catalog, store } = this.#ports;
    try {
      return await catalog.add(trajectory, options);
    } catch (error) {
      if (!(error instanceof ForgottenMeanwhileError)) throw error;
      for (const key of keys) await store.erase(key);
      return "forgotten";
    }
  }

  /** The follow-up of one trajectory need not keep the next one waiting; the object is done only when all are. */
  async #follow(work: Promise<unknown>): Promise<void> {
    const done = work.then(
      () => undefined,
      (error: unknown) => {
        this.#fault ??= { error };
      },
    );
    this.#following.add(done);
    done.finally(() => this.#following.delete(done));
    if (this.#following.size >= FOLLOWING) await Promise.race(this.#following);
    this.#raise();
  }

  /** Waits for all follow-ups. */
  async settle(): Promise<void> {
    await Promise.all(this.#following);
    this.#raise();
  }

  #raise(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  /** The old document moves aside under its revision before the new one takes its place. */
  async #revise(id: string, document: Uint8Array): Promise<void> {
    const { store } = this.#ports;
    const key = trajectoryKey(id);
    if (await store.exists(key)) {
      const old = await store.read(key);
      const revision = revisionOf(old);
      if (revision !== this.#message.revision) await store.putIfAbsent(trajectoryKey(id, revision), old);
    }
    await store.put(key, document);
  }
}

/** Ends when all have ended, with the first fault of any. */
async function allOf(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

function revisionOf(document: Uint8Array): string {
  const { extra } = readDocument(document);
  return extra.gymline.provenance.revision;
}
