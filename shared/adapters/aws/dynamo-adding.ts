import { type Added, ForgottenMeanwhileError, type NewTrajectory } from "../../ports/catalog.ts";
import type { Clock } from "../../ports/clock.ts";
import { maybeRowOf, type ObjectPlace, objectPlaceOf, putRow, type StoredRow } from "./catalog-items.ts";
import { blobLinkKey, blobUserKey, objectPlaceKey, revisionKey, rowKey, tombKey } from "./catalog-keys.ts";
import { attempt } from "./conflicts.ts";
import { changed, type DynamoPlaces, type Taking } from "./dynamo-places.ts";
import { counting } from "./dynamo-scores.ts";
import { type DynamoSessions, groupOf, superseding } from "./dynamo-sessions.ts";
import type { DynamoTable, FoundItems } from "./dynamo-table.ts";
import { ABSENT, type Write } from "./writes.ts";

/** Attachments noted in the transaction itself; each takes two items. */
const BLOBS_AT_ONCE = 10;

interface Seen {
  readonly found: FoundItems;
  readonly row: StoredRow | undefined;
  readonly held: ObjectPlace | undefined;
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
  async add(trajectory: NewTrajectory): Promise<Added> {
    const { id, revision } = trajectory.row;
    await this.#noteManyBlobs(trajectory);
    const adding = attempt(`trajectory ${id}`, async () => {
      const seen = await this.#see(trajectory);
      if (seen.row === undefined) return this.#create(trajectory, seen);
      // A kill may have left logs of its session that it has still to supersede.
      if (seen.row.pending !== undefined) await this.#sessions.finish(id);
      if (seen.row.facts.revision === revision) return this.#again(trajectory, seen, seen.row);
      return this.#revise(trajectory, seen, seen.row);
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

  async #see({ row, place, session }: NewTrajectory): Promise<Seen> {
    const { id } = row;
    const keys = [rowKey(id), tombKey(id), objectPlaceKey(place), ...this.#sessions.keys(session)];
    const found = await this.#table.getAll(keys);
    if (found.of(tombKey(id)) !== undefined) throw new ForgottenMeanwhileError(id);
    const held = found.of(objectPlaceKey(place));
    return {
      found,
      row: maybeRowOf(found.of(rowKey(id))),
      held: held === undefined ? undefined : objectPlaceOf(held),
    };
  }

  async #create(trajectory: NewTrajectory, { found, held }: Seen): Promise<Added> {
    const { row: facts, session } = trajectory;
    const { id } = facts;
    if (this.#sessions.isDead(session, found)) throw new ForgottenMeanwhileError(id);
    const taking = await this.#places.taking(trajectory, held);
    const placing = await this.#sessions.placing(id, session, found);
    const row: StoredRow = {
      facts,
      exportCount: 0,
      createdAt: this.#clock.now(),
      supersededBy: placing.by,
      projects: changed(new Map(), taking.change),
      session: session === undefined ? undefined : groupOf(session),
      pending: new Set(placing.pending),
      version: 0,
    };
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
    ]);
    if (placing.pending.length > 0) await this.#sessions.finish(id);
    if (placing.by !== undefined) return { kind: "superseded", by: placing.by };
    return { kind: "new", supersedes: placing.supersedes };
  }

  async #again(trajectory: NewTrajectory, { held }: Seen, row: StoredRow): Promise<Added> {
    const taking = await this.#places.taking(trajectory, held);
    const { counted, writes } = counting(row, [trajectory.place.project]);
    if (taking.writes.length > 0 || writes.length > 0) {
      const projects = changed(row.projects, taking.change);
      await this.#table.transact([
        putRow({ ...row, projects, counted }),
        ...taking.writes,
        ...evicting(taking),
        ...writes,
      ]);
    }
    return { kind: "duplicate" };
  }

  async #revise(trajectory: NewTrajectory, { found, held }: Seen, row: StoredRow): Promise<Added> {
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

function noting({ row, blobs }: NewTrajectory): readonly Write[] {
  const distinct = [...new Set(blobs)];
  const few = distinct.length <= BLOBS_AT_ONCE ? distinct : [];
  const keys = few.flatMap((sha) => [blobUserKey(sha, row.id), blobLinkKey(row.id, sha)]);
  return [revisionKey(row.id, row.revision), ...keys].map((key) => ({ kind: "put", item: { ...key } }));
}
