import {
  type Added,
  type AddOptions,
  ForgottenMeanwhileError,
  type Known,
  type NewTrajectory,
  type ObjectState,
  type Seen,
} from "../../ports/catalog.ts";
import type { Clock } from "../../ports/clock.ts";
import { maybeRowOf, type ObjectPlace, objectPlaceOf, putRow, type StoredRow } from "./catalog-items.ts";
import {
  blobLinkKey,
  blobUserKey,
  objectPlaceKey,
  revisionKey,
  rowKey,
  stateKey,
  tombKey,
} from "./catalog-keys.ts";
import { attempt } from "./conflicts.ts";
import { beginning, changed, type DynamoPlaces, finishing, type Taking } from "./dynamo-places.ts";
import { counting, scoring } from "./dynamo-scores.ts";
import { type DynamoSessions, groupOf, superseding } from "./dynamo-sessions.ts";
import type { DynamoTable, FoundItems } from "./dynamo-table.ts";
import { ABSENT, type Write } from "./writes.ts";

/** Attachments noted in the transaction itself; each takes two items. */
const BLOBS_AT_ONCE = 10;

interface Sight extends Seen {
  readonly found: FoundItems;
  readonly row: StoredRow | undefined;
  readonly held: ObjectPlace | undefined;
  /** Nothing is known of its object: no state, no place, no report. */
  readonly untouched: boolean;
}

/** Adds trajectories: one read and one transaction each, and one query more where the session has other logs. */
export class DynamoAdding {
  readonly #table: DynamoTable;
  readonly #places: DynamoPlaces;
  readonly #sessions: DynamoSessions;
  readonly #clock: Clock;

  constructor(parts: {
    readonly table: DynamoTable;
    readonly places: DynamoPlaces;
    readonly sessions: DynamoSessions;
    readonly clock: Clock;
  }) {
    this.#table = parts.table;
    this.#places = parts.places;
    this.#sessions = parts.sessions;
    this.#clock = parts.clock;
  }

  /** @throws ForgottenMeanwhileError, CatalogBusyError */
  async add(trajectory: NewTrajectory, { seen, ...along }: AddOptions = {}): Promise<Added> {
    const { id, revision } = trajectory.row;
    await this.#noteManyBlobs(trajectory);
    let before = seen === undefined ? undefined : (seen as Sight);
    const adding = attempt(`trajectory ${id}`, async () => {
      const sight = before ?? (await this.see(trajectory));
      // Where it was not so any more, it is looked at again.
      before = undefined;
      const { row, found } = sight;
      if (found.of(tombKey(id)) !== undefined) throw new ForgottenMeanwhileError(id);
      if (row === undefined) return this.#create(trajectory, sight, along);
      // A kill may have left logs of its session that it has still to supersede.
      if (row.pending !== undefined) await this.#sessions.finish(id);
      if (row.facts.revision === revision) return this.#again(trajectory, sight, row);
      return this.#revise(trajectory, sight, row);
    });
    try {
      return await adding;
    } catch (error) {
      const { session } = trajectory;
      if (error instanceof ForgottenMeanwhileError && session !== undefined) {
        await this.#sessions.discard(id, session);
      }
      throw error;
    }
  }

  async see({ row: { id, revision }, place, session }: NewTrajectory): Promise<Sight> {
    const own = [rowKey(id), tombKey(id), objectPlaceKey(place), stateKey(place.key)];
    const found = await this.#table.getAll([...own, ...this.#sessions.keys(session)]);
    const held = found.of(objectPlaceKey(place));
    const row = maybeRowOf(found.of(rowKey(id)));
    const known = (): Known => {
      if (found.of(tombKey(id)) !== undefined) return "forgotten";
      if (row !== undefined) return row.facts.revision === revision ? "known" : "other-revision";
      return this.#sessions.isDead(session, found) ? "forgotten" : "absent";
    };
    return {
      known: known(),
      found,
      row,
      held: held === undefined ? undefined : objectPlaceOf(held),
      untouched: found.of(stateKey(place.key)) === undefined,
    };
  }

  async #create(
    trajectory: NewTrajectory,
    { found, held, untouched }: Sight,
    { score, finish }: Omit<AddOptions, "seen">,
  ): Promise<Added> {
    const { row: facts, session } = trajectory;
    const { id } = facts;
    if (this.#sessions.isDead(session, found)) throw new ForgottenMeanwhileError(id);
    const taking = await this.#places.taking(trajectory, held);
    const placing = await this.#sessions.placing(id, session, found);
    const unscored: StoredRow = {
      facts,
      exportCount: 0,
      createdAt: this.#clock.now(),
      supersededBy: placing.by,
      projects: changed(new Map(), taking.change),
      session: session === undefined ? undefined : groupOf(session),
      pending: new Set(placing.pending),
      version: 0,
    };
    const { row, writes } = score === undefined ? { row: unscored, writes: [] } : scoring(unscored, score);
    // The log that held the place may be one that this one supersedes: a transaction takes an item only once.
    const { evicted } = taking;
    const both = evicted !== undefined && placing.now.includes(evicted.facts.id);
    const others = placing.now
      .filter((other) => other !== evicted?.facts.id)
      .map((other) => superseding(other, id));
    if (evicted !== undefined) others.push(putRow(both ? { ...evicted, supersededBy: id } : evicted));
    await this.#table.transact([
      putRow(row),
      { kind: "check", key: tombKey(id), when: ABSENT },
      ...taking.writes,
      ...placing.writes,
      ...others,
      ...noting(trajectory),
      ...writes,
      ...(untouched ? [opening(trajectory, finish)] : []),
    ]);
    if (placing.pending.length > 0) await this.#sessions.finish(id);
    const along = {
      ...(score === undefined ? {} : { scored: true as const }),
      ...(untouched && finish !== undefined ? { finished: true as const } : {}),
    };
    if (placing.by !== undefined) return { kind: "superseded", by: placing.by, ...along };
    return { kind: "new", supersedes: placing.supersedes, ...along };
  }

  async #again(trajectory: NewTrajectory, { held, untouched }: Sight, row: StoredRow): Promise<Added> {
    const taking = await this.#places.taking(trajectory, held);
    const { counted, writes } = counting(row, [trajectory.place.project]);
    if (taking.writes.length > 0 || writes.length > 0) {
      const projects = changed(row.projects, taking.change);
      await this.#table.transact([
        putRow({ ...row, projects, counted }),
        ...taking.writes,
        ...evicting(taking),
        ...writes,
        ...(untouched ? [opening(trajectory)] : []),
      ]);
    }
    return { kind: "duplicate" };
  }

  async #revise(
    trajectory: NewTrajectory,
    { found, held, untouched }: Sight,
    row: StoredRow,
  ): Promise<Added> {
    const { row: facts, session, place } = trajectory;
    const taking = await this.#places.taking(trajectory, held);
    const { counted, writes } = counting(row, [place.project]);
    const moving = await this.#sessions.moving(row, session, found);
    const projects = changed(row.projects, taking.change);
    const revised: StoredRow = {
      ...row,
      facts,
      counted,
      projects,
      session: session === undefined ? undefined : groupOf(session),
    };
    await this.#table.transact([
      putRow(revised),
      ...taking.writes,
      ...evicting(taking),
      ...moving,
      ...writes,
      ...noting(trajectory),
      ...(untouched ? [opening(trajectory)] : []),
    ]);
    return { kind: "revised" };
  }

  /**
   * More attachments than a transaction holds are noted before it: an attachment noted for nothing is kept, while
   * one that is not noted could be removed under its user.
   */
  async #noteManyBlobs({ row, blobs }: NewTrajectory): Promise<void> {
    const distinct = [...new Set(blobs)];
    if (distinct.length <= BLOBS_AT_ONCE) return;
    const items = distinct.flatMap((sha) => [blobUserKey(sha, row.id), blobLinkKey(row.id, sha)]);
    await this.#table.putAll(items.map((key) => ({ ...key })));
  }
}

function evicting({ evicted }: Taking): readonly Write[] {
  return evicted === undefined ? [] : [putRow(evicted)];
}

/**
 * With the first place of an object its state begins, so that one without a state has no places: what it holds is
 * all there is of it, if `finish` says so.
 */
function opening({ place: { key } }: NewTrajectory, finish?: ObjectState): Write {
  return finish === undefined ? beginning(key) : finishing(finish);
}

function noting({ row, blobs }: NewTrajectory): readonly Write[] {
  const distinct = [...new Set(blobs)];
  const few = distinct.length <= BLOBS_AT_ONCE ? distinct : [];
  const keys = few.flatMap((sha) => [blobUserKey(sha, row.id), blobLinkKey(row.id, sha)]);
  return [revisionKey(row.id, row.revision), ...keys].map((key) => ({ kind: "put", item: { ...key } }));
}
