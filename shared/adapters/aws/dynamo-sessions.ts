import { z } from "zod";
import type { NewTrajectory } from "../../ports/catalog.ts";
import type { Item } from "./attributes.ts";
import { maybeRowOf, putRow, read, type StoredRow } from "./catalog-items.ts";
import {
  chunkKey,
  headKey,
  type ItemKey,
  logKey,
  logsPrefix,
  overKey,
  rowKey,
  type SessionGroup,
  sessionPk,
  sessionTombKey,
  sha256,
} from "./catalog-keys.ts";
import { attempt } from "./conflicts.ts";
import type { DynamoTable, FoundItems } from "./dynamo-table.ts";
import { ABSENT, having, PRESENT, type Write } from "./writes.ts";

/** Bytes of one prefix: a hash of all that was done and seen up to it. */
const PREFIX_BYTES = 8;
/** Prefixes in a log's entry; the entries of a group are read together, so they are kept small. */
const INLINE = 512;
const CHUNK = 4096;
/** Logs superseded in the transaction that adds the longer one, and in each that follows it. */
const SUPERSEDED_AT_ONCE = 20;

const logSchema = z.object({
  id: z.string(),
  length: z.number(),
  last: z.instanceof(Uint8Array),
  /** All prefixes of a short log; those of a long one stand in chunks with its trajectory. */
  prefixes: z.instanceof(Uint8Array).optional(),
  digest: z.string(),
});
type Log = z.infer<typeof logSchema>;

type Session = NonNullable<NewTrajectory["session"]>;

/** What a new log of a session changes there. */
export interface Placing {
  readonly writes: readonly Write[];
  readonly by?: string;
  readonly supersedes: readonly string[];
  /** Those of `supersedes` whose rows are to be written in the same transaction. */
  readonly now: readonly string[];
  /** Those of `supersedes` that this transaction has no room for. */
  readonly pending: readonly string[];
}

const NOTHING_PLACED: Placing = { writes: [], supersedes: [], now: [], pending: [] };

/**
 * Which log of a session supersedes which: of two that start alike, the longer one. Each change of a group raises
 * the version of its head, and none applies to another version than it was worked out from, so two logs that arrive
 * at the same moment cannot miss each other.
 */
export class DynamoSessions {
  readonly #table: DynamoTable;

  constructor(table: DynamoTable) {
    this.#table = table;
  }

  /** Items that `placing` and `moving` want to know. */
  keys(session: Session | undefined): readonly ItemKey[] {
    if (session === undefined) return [];
    const group = groupOf(session);
    return group.group === "" ? [sessionTombKey(session.key)] : [sessionTombKey(session.key), headKey(group)];
  }

  /** Whether a trajectory of the session was forgotten: it takes no new ones. */
  isDead(session: Session | undefined, found: FoundItems): boolean {
    return session !== undefined && found.of(sessionTombKey(session.key)) !== undefined;
  }

  /** Finds the place of a new log among those of its session. */
  async placing(id: string, session: Session | undefined, found: FoundItems): Promise<Placing> {
    if (session === undefined) return NOTHING_PLACED;
    const group = groupOf(session);
    const alive: Write = { kind: "check", key: sessionTombKey(session.key), when: ABSENT };
    if (group.group === "") return { ...NOTHING_PLACED, writes: [alive] };
    const head = found.of(headKey(group));
    const { by, supersedes } =
      head === undefined ? { by: undefined, supersedes: [] } : await this.#compare(id, session);
    const writes: Write[] = [alive, raising(group, head)];
    if (by !== undefined) {
      writes.push({ kind: "put", item: { ...overKey(by, id) } });
      return { ...NOTHING_PLACED, writes, by };
    }
    writes.push({ kind: "put", item: await this.#entry(id, session) });
    const now = supersedes.slice(0, SUPERSEDED_AT_ONCE);
    for (const other of now) writes.push(...linking(other, { by: id, group }));
    return { writes, supersedes, now, pending: supersedes.slice(SUPERSEDED_AT_ONCE) };
  }

  /** A trajectory's other revision may name another session, or other prefixes. */
  async moving(row: StoredRow, session: Session | undefined, found: FoundItems): Promise<readonly Write[]> {
    const before = row.session;
    const group = session === undefined ? undefined : groupOf(session);
    const writes: Write[] = [];
    // One that is superseded has no entry.
    if (row.supersededBy !== undefined) return writes;
    const same = before !== undefined && before.key === group?.key && before.group === group.group;
    if (before !== undefined && before.group !== "" && !same) {
      writes.push(bump(before), { kind: "delete", key: logKey(before, row.facts.id) });
    }
    if (session !== undefined && group !== undefined && group.group !== "") {
      writes.push(raising(group, found.of(headKey(group))));
      writes.push({ kind: "put", item: await this.#entry(row.facts.id, session) });
    }
    return writes;
  }

  /** Supersedes what one transaction had no room for; may be repeated. */
  async finish(id: string): Promise<void> {
    let left = true;
    while (left) {
      left = await attempt(`trajectory ${id}`, async () => {
        const row = maybeRowOf(await this.#table.get(rowKey(id)));
        const pending = [...(row?.pending ?? [])];
        if (row?.session === undefined || pending.length === 0) return false;
        const now = pending.slice(0, SUPERSEDED_AT_ONCE);
        const found = await this.#table.getAll(now.map(rowKey));
        const writes = [bump(row.session), putRow({ ...row, pending: new Set(pending.slice(now.length)) })];
        for (const other of now) {
          const theirs = maybeRowOf(found.of(rowKey(other)));
          if (theirs === undefined || theirs.supersededBy !== undefined) continue;
          writes.push(superseding(other, id));
          writes.push(...linking(other, { by: id, group: theirs.session ?? row.session }));
        }
        await this.#table.transact(writes);
        return pending.length > now.length;
      });
    }
  }

  async #compare(
    id: string,
    session: Session,
  ): Promise<{ readonly by: string | undefined; readonly supersedes: readonly string[] }> {
    const supersedes: string[] = [];
    const group = groupOf(session);
    const length = lengthOf(session.prefixes);
    for await (const item of this.#table.partition(sessionPk(session.key), logsPrefix(group))) {
      const other = read<Log>(logSchema, item);
      if (other.id === id || other.length === length) continue;
      if (other.length < length) {
        if (same(prefixAt(session.prefixes, other.length), other.last)) supersedes.push(other.id);
      } else if (same(await this.#prefixOf(other, length), prefixAt(session.prefixes, length))) {
        return { by: other.id, supersedes: [] };
      }
    }
    return { by: undefined, supersedes };
  }

  async #prefixOf(log: Log, position: number): Promise<Uint8Array> {
    if (log.prefixes !== undefined) return prefixAt(log.prefixes, position);
    const number = Math.floor((position - 1) / CHUNK);
    const chunk = await this.#table.get(chunkKey(log.id, { digest: log.digest, number }));
    const prefixes = chunk?.["prefixes"];
    if (!(prefixes instanceof Uint8Array)) return new Uint8Array(0);
    return prefixAt(prefixes, position - number * CHUNK);
  }

  /** Chunks are written before the entry that names them, under a name that no other content has. */
  async #entry(id: string, session: Session): Promise<Item & ItemKey> {
    const { prefixes } = session;
    const length = lengthOf(prefixes);
    const digest = digestOf(prefixes);
    const entry = { ...logKey(groupOf(session), id), id, length, digest, last: prefixAt(prefixes, length) };
    if (length <= INLINE) return { ...entry, prefixes };
    const chunks = chunkKeys(id, prefixes).map((key, number) => {
      const part = prefixes.subarray(number * CHUNK * PREFIX_BYTES, (number + 1) * CHUNK * PREFIX_BYTES);
      return { ...key, prefixes: part };
    });
    await this.#table.putAll(chunks);
    return entry;
  }

  /** Removes the chunks of a log that was not stored after all. */
  async discard(id: string, { prefixes }: Session): Promise<void> {
    if (lengthOf(prefixes) > INLINE) await this.#table.removeAll(chunkKeys(id, prefixes));
  }
}

export function groupOf({ key, prefixes }: Session): SessionGroup {
  const first = lengthOf(prefixes) === 0 ? "" : Buffer.from(prefixAt(prefixes, 1)).toString("hex");
  return { key, group: first };
}

/** Raises the version of a group, whatever it is. */
export function bump(group: SessionGroup): Extract<Write, { readonly kind: "update" }> {
  return { kind: "update", key: headKey(group), add: { version: 1 } };
}

/** Raises the version of a group if it is still the one that was read. */
function raising(group: SessionGroup, head: Item | undefined): Write {
  const version = head?.["version"];
  if (typeof version !== "number") return { ...bump(group), when: ABSENT };
  return { ...bump(group), when: having({ version }) };
}

/** Marks the row of a superseded log. */
export function superseding(id: string, by: string): Write {
  return { kind: "update", key: rowKey(id), set: { supersededBy: by }, add: { version: 1 }, when: PRESENT };
}

function linking(
  id: string,
  options: { readonly by: string; readonly group: SessionGroup },
): readonly Write[] {
  const { by, group } = options;
  return [
    { kind: "delete", key: logKey(group, id) },
    { kind: "put", item: { ...overKey(by, id) } },
  ];
}

function digestOf(prefixes: Uint8Array): string {
  return sha256(prefixes).slice(0, 32);
}

function chunkKeys(id: string, prefixes: Uint8Array): readonly ItemKey[] {
  const digest = digestOf(prefixes);
  const chunks = Math.ceil(lengthOf(prefixes) / CHUNK);
  return Array.from({ length: chunks }, (_, number) => chunkKey(id, { digest, number }));
}

function lengthOf(prefixes: Uint8Array): number {
  return Math.floor(prefixes.length / PREFIX_BYTES);
}

/** The prefix after `position` actions; it stands for all before it, so that comparing it compares them. */
function prefixAt(prefixes: Uint8Array, position: number): Uint8Array {
  return prefixes.subarray((position - 1) * PREFIX_BYTES, position * PREFIX_BYTES);
}

function same(first: Uint8Array, second: Uint8Array): boolean {
  return first.length > 0 && Buffer.compare(first, second) === 0;
}
