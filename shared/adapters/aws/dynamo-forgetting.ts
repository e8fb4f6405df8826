import type { Forgotten } from "../../ports/catalog.ts";
import type { Clock } from "../../ports/clock.ts";
import { eachOf } from "./batches.ts";
import { maybeRowOf, placeOf, rootOf, type StoredRow } from "./catalog-items.ts";
import {
  blobPk,
  goneKey,
  type ItemKey,
  keyOf,
  logKey,
  overKey,
  rowKey,
  sessionTombKey,
  tombKey,
  trajectoryPk,
} from "./catalog-keys.ts";
import { attempt } from "./conflicts.ts";
import type { DynamoDatasets } from "./dynamo-datasets.ts";
import type { DynamoPlaces } from "./dynamo-places.ts";
import { bump } from "./dynamo-sessions.ts";
import type { DynamoTable } from "./dynamo-table.ts";
import { inGroups } from "./walks.ts";
import { ABSENT, having, type Write } from "./writes.ts";

const USERS_AT_ONCE = 100;
const SIDE_BY_SIDE = 8;

/**
 * Forgets trajectories. Each is buried in one transaction: its tombstone comes, its row goes, and its session is
 * closed, so that nothing brings it back while the rest of its items go. What is left to do can be told from what is
 * there, so a repeat after a kill goes on.
 */
export class DynamoForgetting {
  readonly #table: DynamoTable;
  readonly #places: DynamoPlaces;
  readonly #datasets: DynamoDatasets;
  readonly #clock: Clock;

  constructor(parts: {
    readonly table: DynamoTable;
    readonly places: DynamoPlaces;
    readonly datasets: DynamoDatasets;
    readonly clock: Clock;
  }) {
    this.#table = parts.table;
    this.#places = parts.places;
    this.#datasets = parts.datasets;
    this.#clock = parts.clock;
  }

  async forget(id: string): Promise<Forgotten> {
    const root = await this.#bury(id, id);
    const ids = new Set([id]);
    for await (const item of this.#table.partition(trajectoryPk(id), "GONE#")) {
      ids.add(keyOf(item).sk.slice("GONE#".length));
    }
    // The set grows while it is walked: shorter logs lead to still shorter ones.
    for (const gone of ids) {
      for (const shorter of await this.#clear(gone)) {
        if ((await this.#bury(shorter, id)) === id) ids.add(shorter);
        await this.#table.removeAll([overKey(gone, shorter)]);
      }
    }
    for (const gone of ids) await this.#datasets.markForgotten(gone);
    // One that was forgotten along with another before: its attachments were named then.
    const buried = root === id ? [...ids] : [...ids].filter((gone) => gone !== id);
    return { ids: [...ids], orphanBlobs: await this.#orphans(buried) };
  }

  /** Gives the root that it is buried with. */
  async #bury(id: string, root: string): Promise<string> {
    return attempt(`trajectory ${id}`, async () => {
      const found = await this.#table.getAll([tombKey(id), rowKey(id)]);
      const tomb = found.of(tombKey(id));
      if (tomb !== undefined) return rootOf(tomb);
      const row = maybeRowOf(found.of(rowKey(id)));
      const note = { ...tombKey(id), root, forgottenAt: this.#clock.now() };
      await this.#table.transact([
        { kind: "put", item: note, when: ABSENT },
        ...(id === root ? [] : [{ kind: "put", item: { ...goneKey(root, id) } } as const]),
        ...burying(id, row),
      ]);
      return root;
    });
  }

  /** Removes what a buried trajectory has left, but for what must be told of it; gives the shorter logs it had. */
  async #clear(id: string): Promise<readonly string[]> {
    const shorter: string[] = [];
    const rest: ItemKey[] = [];
    const places = [];
    for await (const item of this.#table.partition(trajectoryPk(id))) {
      const key = keyOf(item);
      if (key.sk.startsWith("OVER#")) shorter.push(key.sk.slice("OVER#".length));
      if (key.sk.startsWith("PLACE#")) places.push(placeOf(item));
      if (/^(?:REV|PREFIX|FEED)#/.test(key.sk)) rest.push(key);
    }
    await eachOf(places, SIDE_BY_SIDE, (place) => this.#places.release(id, place));
    await this.#table.removeAll(rest);
    return shorter;
  }

  async #orphans(ids: readonly string[]): Promise<readonly string[]> {
    const used = new Set<string>();
    for (const id of ids) {
      for await (const item of this.#table.partition(trajectoryPk(id), "BLOB#")) {
        used.add(keyOf(item).sk.slice("BLOB#".length));
      }
    }
    const orphans: string[] = [];
    await eachOf([...used].sort(), SIDE_BY_SIDE, async (sha) => {
      if (!(await this.#isUsed(sha))) orphans.push(sha);
    });
    return orphans.sort();
  }

  /** A user that is neither stored nor forgotten is about to be stored. */
  async #isUsed(sha: string): Promise<boolean> {
    for await (const group of inGroups(this.#table.partition(blobPk(sha)), USERS_AT_ONCE)) {
      const tombs = group.map((item) => tombKey(keyOf(item).sk));
      const found = await this.#table.getAll(tombs);
      if (tombs.some((key) => found.of(key) === undefined)) return true;
    }
    return false;
  }
}

function burying(id: string, row: StoredRow | undefined): readonly Write[] {
  if (row === undefined) return [{ kind: "check", key: rowKey(id), when: ABSENT }];
  const { session, supersededBy, version } = row;
  const writes: Write[] = [{ kind: "delete", key: rowKey(id), when: having({ version }) }];
  if (supersededBy !== undefined) writes.push({ kind: "delete", key: overKey(supersededBy, id) });
  if (session === undefined) return writes;
  writes.push({ kind: "put", item: { ...sessionTombKey(session.key) } });
  if (session.group !== "") {
    writes.push(bump(session));
    // One that is superseded has no entry; a delete of what is not there does no harm.
    writes.push({ kind: "delete", key: logKey(session, id) });
  }
  return writes;
}
