import type { Rows } from "../columns/compact-rows.ts";
import type { CatalogEntry, CatalogRow, ScoreRow, SourcePlace } from "../contracts/catalog-row.ts";
import type { Feedback, NewFeedback } from "../contracts/feedback.ts";

/** State of a dropped object, so that a second run knows what it has read already. */
export interface ObjectState {
  readonly key: string;
  readonly project: string;
  /** Size and times, or an ETag: changes whenever the object does. */
  readonly fingerprint: string;
  /** Hash of everything that shapes what ingest makes of it. */
  readonly revision: string;
  readonly records: number;
  readonly trajectories: number;
  readonly rejected: number;
}

export interface NewTrajectory {
  readonly row: CatalogRow;
  readonly place: SourcePlace;
  /** Fingerprint of the object the place is in: `finishObject` drops places of earlier generations. */
  readonly generation: string;
  /** Present where the source names its session, or is an event log of its own. */
  readonly session?: { readonly key: string; readonly prefixes: Uint8Array };
  readonly blobs: readonly string[];
}

/**
 * What a trajectory is to the catalog before it is written. `forgotten`: it has a tombstone, or it is new and its
 * session has one; what the catalog still holds of such a session stays.
 */
export type Known = "absent" | "known" | "other-revision" | "forgotten";

/** What a catalog saw of a trajectory that may be added; a catalog takes back only what it gave itself. */
export interface Seen {
  readonly known: Known;
}

/** What may be done in the change that adds a trajectory: each spares a change of its own. */
export interface AddOptions {
  /** What was seen of it before. What has changed since is noticed. */
  readonly seen?: Seen | undefined;
  /** Its first score, noted and counted if the trajectory is new. */
  readonly score?: ScoreRow | undefined;
  /** State of its object, which holds nothing else; noted where nothing is known of the object yet. */
  readonly finish?: ObjectState | undefined;
}

export type Added = (
  | { readonly kind: "new"; readonly supersedes: readonly string[] }
  /** The same session is here already, and longer. */
  | { readonly kind: "superseded"; readonly by: string }
  | { readonly kind: "revised" }
  | { readonly kind: "duplicate" }
) & {
  /** The score was noted, as the first one. */
  readonly scored?: true;
  /** The object is finished: it had no places and no report before. */
  readonly finished?: true;
};

export interface Selection {
  readonly project?: string;
  readonly domain?: string;
  readonly agent?: string;
  readonly model?: string;
  readonly format?: string;
  readonly task?: string;
  /** `true`, `false` or `unknown`; several may be given. */
  readonly success?: readonly ("true" | "false" | "unknown")[];
  readonly minReward?: number;
  readonly includeSuperseded?: boolean;
  readonly limit?: number;
}

export interface DatasetRecord {
  readonly name: string;
  readonly version: string;
  readonly format: string;
  /** Each trajectory once. Walked over more than once; a list is one. */
  readonly rows: Rows<{ readonly id: string; readonly split: string }>;
}

/** A registered dataset version. */
export interface DatasetEntry {
  readonly name: string;
  readonly version: string;
  readonly format: string;
  readonly rows: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Its event went out. */
  readonly announced: boolean;
}

/** A trajectory was forgotten between the moment it was looked up and the moment it was to be added. */
export class ForgottenMeanwhileError extends Error {
  override readonly name = "ForgottenMeanwhileError";
  constructor(id: string) {
    const remedy = "read its object again, which leaves it out";
    super(`trajectory ${id} or its session was forgotten while it was read; it was not stored. ${remedy}`);
  }
}

/** A ledger record that must still have this version when a change is made: the fencing token of a lease. */
export interface Fence {
  readonly key: string;
  readonly version: number;
}

/** Somebody else holds the lease by now: nothing was changed. */
export class FencedError extends Error {
  override readonly name = "FencedError";
  constructor(fence: Fence, options?: ErrorOptions) {
    super(`the lease ${fence.key} was taken over by another process; nothing was registered`, options);
  }
}

/**
 * What a score was to the catalog. `first`: the trajectory had none, and it was counted. `stale`: it was made from
 * another revision of the document than the current one. `absent`: there is no such trajectory (any more).
 */
export type ScoreSet = "first" | "again" | "stale" | "absent";

/** `absent`: there is no such trajectory (any more). */
export type FeedbackSet = "set" | "unchanged" | "absent";

export interface DatasetUse {
  readonly name: string;
  readonly version: string;
  readonly split: string;
}

export interface Forgotten {
  readonly ids: readonly string[];
  /** Blobs that no other trajectory uses: their objects may go too. */
  readonly orphanBlobs: readonly string[];
}

/** Every method that changes something is one transaction and may be called again with the same effect. */
export interface Catalog {
  object(key: string): Promise<ObjectState | undefined>;
  objects(): AsyncIterable<ObjectState>;
  /** Records that the object was read to its end, and forgets the places that it had before and has no longer. */
  finishObject(state: ObjectState): Promise<void>;
  /** Notes that there is a report of an object that could not be read: who reads it later has to remove it. */
  noteReport(key: string): Promise<void>;

  see(trajectory: NewTrajectory): Promise<Seen>;
  /** @throws ForgottenMeanwhileError */
  add(trajectory: NewTrajectory, options?: AddOptions): Promise<Added>;
  /**
   * Notes the score of a trajectory. With `revision`, only if that is its current one. The first score of a
   * trajectory is counted in the same transaction (`scoredCount`).
   */
  setScore(id: string, score: ScoreRow, options?: { readonly revision: string }): Promise<ScoreSet>;
  /**
   * How many trajectories ever got a first score, in one project or altogether; never falls. One that is dropped in
   * a further project after it was scored is counted there when that place is added.
   */
  scoredCount(project?: string): Promise<number>;
  /** Ids that have had no score since before `before` (milliseconds since the epoch), the oldest first. */
  unscored(options: { readonly before: number; readonly limit: number }): Promise<readonly string[]>;

  /**
   * Notes what a source says of a trajectory; the feedback of its entry is the mean over all sources (`meanFeedback`).
   */
  setFeedback(id: string, feedback: NewFeedback): Promise<FeedbackSet>;
  /** What stands there, sorted by source. */
  feedbackOf(id: string): Promise<readonly Feedback[]>;

  entry(id: string): Promise<CatalogEntry | undefined>;
  /** Ids that start with `prefix` (at least 4 hex digits), at most `limit`. */
  idsWithPrefix(prefix: string, limit: number): Promise<readonly string[]>;
  /** Sorted by reward, highest first, then by id. */
  select(selection: Selection): AsyncIterable<CatalogEntry>;
  places(id: string): Promise<readonly SourcePlace[]>;
  idsFrom(dropKey: string): Promise<readonly string[]>;
  revisions(id: string): Promise<readonly string[]>;
  /** Forgets all revisions but the current one. */
  pruneRevisions(id: string): Promise<void>;

  /**
   * Registers a published dataset and counts one export for each of its rows, once. A row whose trajectory was
   * forgotten meanwhile is noted without counting. @throws FencedError
   */
  registerDataset(dataset: DatasetRecord, fence?: Fence): Promise<"registered" | "known">;
  hasDataset(name: string, version: string): Promise<boolean>;
  /** All registered ones, by name, then the oldest first. */
  datasets(): AsyncIterable<DatasetEntry>;
  /** Notes that the event of a dataset went out. */
  announceDataset(name: string, version: string): Promise<void>;
  datasetsOf(id: string): Promise<readonly DatasetUse[]>;
  /** The forgotten trajectories that a registered version still holds, sorted by id. */
  forgottenIn(name: string, version: string): Promise<readonly string[]>;

  /** Removes a trajectory and the shorter logs of its session that it superseded, and leaves tombstones. */
  forget(id: string): Promise<Forgotten>;
  forgotten(id: string): Promise<boolean>;
  /** Resolves when all changes so far are durable. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
