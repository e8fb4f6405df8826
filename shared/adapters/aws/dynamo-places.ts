import type { SourcePlace } from "../../contracts/catalog-row.ts";
import { CATALOG_INDEXES } from "../../contracts/catalog-table.ts";
import type { NewTrajectory, ObjectState } from "../../ports/catalog.ts";
import type { Item } from "./attributes.ts";
import {
  maybeRowOf,
  type ObjectPlace,
  objectPlaceItem,
  objectPlaceOf,
  placeItem,
  placeOf,
  putRow,
  type StoredRow,
  stateItem,
  stateOf,
} from "./catalog-items.ts";
import {
  keyOf,
  objectGroups,
  objectPk,
  objectPlaceKey,
  placeKey,
  rowKey,
  stateKey,
  trajectoryPk,
} from "./catalog-keys.ts";
import { attempt } from "./conflicts.ts";
import type { DynamoTable } from "./dynamo-table.ts";
import { inGroups, mergedWalk } from "./walks.ts";
import { ABSENT, having, type Write } from "./writes.ts";

/** Places dropped in one transaction: each takes two items, and its trajectory a third. */
const DROPPED_AT_ONCE = 30;
const LISTED_AT_ONCE = 100;

/** Projects that places were noted and dropped in, one for each place. */
export interface ProjectChange {
  readonly entered?: readonly string[];
  readonly left?: readonly string[];
}

export interface Taking {
  readonly writes: readonly Write[];
  readonly change: ProjectChange;
  /** Who held the place before, without it; to be written in the same transaction. */
  readonly evicted?: StoredRow;
}

const NOTHING_TAKEN: Taking = { writes: [], change: {} };

/** Dropped objects, and which trajectories they hold at which places. */
export class DynamoPlaces {
  readonly #table: DynamoTable;

  constructor(table: DynamoTable) {
    this.#table = table;
  }

  async object(key: string): Promise<ObjectState | undefined> {
    const item = await this.#table.get(stateKey(key));
    return item === undefined || !isRead(item) ? undefined : stateOf(item);
  }

  async noteReport(key: string): Promise<void> {
    await this.#table.write({ kind: "update", key: stateKey(key), add: { reports: 1 } });
  }

  async *objects(): AsyncGenerator<ObjectState> {
    const { name, partitionKey, sortKey } = CATALOG_INDEXES.byGroup;
    const walks = objectGroups.map((group) =>
      this.#table.query({
        index: name,
        condition: {
          text: "#group = :group",
          names: { "#group": partitionKey },
          values: { ":group": group },
        },
      }),
    );
    const order = (value: unknown) => Buffer.from(String(value));
    const walk = mergedWalk(
      walks,
      (first, second) => order(first[sortKey]).compare(order(second[sortKey])) < 0,
    );
    for await (const group of inGroups(walk, LISTED_AT_ONCE)) {
      const keys = group.map(keyOf);
      const found = await this.#table.getAll(keys);
      for (const key of keys) {
        const item = found.of(key);
        if (item !== undefined && isRead(item)) yield stateOf(item);
      }
    }
  }

  async placesOf(id: string): Promise<readonly SourcePlace[]> {
    const places: SourcePlace[] = [];
    for await (const item of this.#table.partition(trajectoryPk(id), "PLACE#")) places.push(placeOf(item));
    return places.sort(byPlace);
  }

  async idsFrom(dropKey: string): Promise<readonly string[]> {
    const held: ObjectPlace[] = [];
    for await (const item of this.#table.partition(objectPk(dropKey), "PLACE#")) {
      held.push(objectPlaceOf(item));
    }
    return held.sort(byPlace).map(({ id }) => id);
  }

  /** Drops places of other generations first, so that after a kill in between the object counts as unread. */
  async finish(state: ObjectState): Promise<void> {
    const stale: ObjectPlace[] = [];
    const filter = {
      text: "#generation <> :generation",
      names: { "#generation": "generation" },
      values: { ":generation": state.fingerprint },
    };
    for await (const item of this.#table.partition(objectPk(state.key), "PLACE#", filter)) {
      stale.push(objectPlaceOf(item));
    }
    for (let start = 0; start < stale.length; start += DROPPED_AT_ONCE) {
      await this.#drop(stale.slice(start, start + DROPPED_AT_ONCE));
    }
    await this.#table.write({ kind: "put", item: stateItem(state) });
  }

  async #drop(stale: readonly ObjectPlace[]): Promise<void> {
    await attempt(`object ${stale[0]?.key ?? ""}`, async () => {
      const keys = stale.flatMap((place) => [objectPlaceKey(place), rowKey(place.id)]);
      const found = await this.#table.getAll(keys);
      const writes: Write[] = [];
      const changes = new Map<string, string[]>();
      for (const { id, generation, ...place } of stale) {
        const item = found.of(objectPlaceKey(place));
        // Another run of the object may have dropped it already, or filled it anew.
        if (item === undefined || item["id"] !== id || item["generation"] !== generation) continue;
        writes.push({ kind: "delete", key: objectPlaceKey(place), when: having({ id, generation }) });
        writes.push({ kind: "delete", key: placeKey(id, { ...place, line: null, jsonPath: null }) });
        changes.set(id, [...(changes.get(id) ?? []), place.project]);
      }
      for (const [id, left] of changes) {
        const row = maybeRowOf(found.of(rowKey(id)));
        if (row !== undefined) writes.push(putRow({ ...row, projects: changed(row.projects, { left }) }));
      }
      if (writes.length > 0) await this.#table.transact(writes);
    });
  }

  /**
   * What it takes to note a trajectory's place. One that another trajectory holds is taken over: the object changed.
   */
  async taking({ row, place, generation }: NewTrajectory, held: ObjectPlace | undefined): Promise<Taking> {
    const { id } = row;
    const mine = held?.id === id;
    if (mine && held.generation === generation && held.project === place.project) return NOTHING_TAKEN;
    const seen = held === undefined ? ABSENT : having({ id: held.id, generation: held.generation });
    const writes: Write[] = [
      { kind: "put", item: placeItem(id, place) },
      { kind: "put", item: objectPlaceItem(place, { id, generation }), when: seen },
    ];
    const entered = [place.project];
    if (held === undefined) return { writes, change: { entered } };
    if (mine) return { writes, change: { entered, left: [held.project] } };
    const { id: other, generation: _, ...old } = held;
    writes.push({ kind: "delete", key: placeKey(other, { ...old, line: null, jsonPath: null }) });
    const before = maybeRowOf(await this.#table.get(rowKey(other)));
    if (before === undefined) return { writes, change: { entered } };
    const evicted = { ...before, projects: changed(before.projects, { left: [held.project] }) };
    return { writes, change: { entered }, evicted };
  }

  /** Removes one place of a forgotten trajectory; its own copy goes last, since it leads to the other one. */
  async release(id: string, place: SourcePlace): Promise<void> {
    await this.#table.write({ kind: "delete", key: objectPlaceKey(place), when: having({ id }) });
    await this.#table.write({ kind: "delete", key: placeKey(id, place) });
  }
}

/** The object was read to its end, and not only begun or reported on. */
function isRead(item: Item): boolean {
  return item["fingerprint"] !== undefined;
}

/** Notes that an object has places, if nothing is noted of it. */
export function beginning(key: string): Write {
  return { kind: "update", key: stateKey(key), add: { begun: 1 } };
}

/** Notes that an object of which nothing was noted was read to its end. */
export function finishing(state: ObjectState): Write {
  return { kind: "put", item: stateItem(state), when: ABSENT };
}

/** Projects with their number of places; those without a place are left out. */
export function changed(
  projects: ReadonlyMap<string, number>,
  { entered = [], left = [] }: ProjectChange,
): ReadonlyMap<string, number> {
  const result = new Map(projects);
  for (const project of entered) result.set(project, (result.get(project) ?? 0) + 1);
  for (const project of left) result.set(project, (result.get(project) ?? 0) - 1);
  return new Map([...result].filter(([, places]) => places > 0));
}

type Position = Pick<SourcePlace, "key" | "entry" | "index" | "ordinal">;

function byPlace(first: Position, second: Position): number {
  return (
    byBytes(first.key, second.key) ||
    byBytes(first.entry ?? "", second.entry ?? "") ||
    first.index - second.index ||
    first.ordinal - second.ordinal
  );
}

/** Texts compared by their UTF-8 bytes, as DynamoDB and SQLite do. */
export function byBytes(first: string, second: string): number {
  return Buffer.compare(Buffer.from(first), Buffer.from(second));
}
