import { pairKey, pairOfKey, pairOfPrefix, voteKey, votePrefix } from "../contracts/keys.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { choiceFor, type PairRecord, pairRecordSchema, type Vote, voteSchema } from "../votes/vote.ts";
import { readStored } from "./stored-json.ts";

/**
 * Stores a pair and how to find it from either trajectory, before anybody votes on it. One that is there already stays
 * as it is, with its sides: votes may have been cast on it. Gives what stands in the store; undefined where one of the
 * two is not in the catalog (any more).
 */
export async function storePair(
  record: PairRecord,
  ports: { readonly store: ObjectStore; readonly catalog: Catalog },
): Promise<PairRecord | undefined> {
  const { store, catalog } = ports;
  const ids = [record.left_id, record.right_id];
  const isGone = async (): Promise<boolean> => {
    const entries = await Promise.all(ids.map((id) => catalog.entry(id)));
    return entries.includes(undefined);
  };
  if (await isGone()) return undefined;
  const standing = (await pairAt(record.pair_id, store)) ?? record;
  const bytes = Buffer.from(JSON.stringify(standing));
  // The ways to the pair come first: a pair without them would outlive its trajectories.
  for (const id of ids) await store.put(pairOfKey(id, record.pair_id), bytes);
  await store.putIfAbsent(pairKey(record.pair_id), bytes);
  if (!(await isGone())) return (await pairAt(record.pair_id, store)) ?? standing;
  for (const key of [pairKey(record.pair_id), ...ids.map((id) => pairOfKey(id, record.pair_id))]) {
    await store.erase(key);
  }
  return undefined;
}

/**
 * What became of a vote. `outdated`: a later one of the same voter stays. `unknown-pair`: the store holds no such pair,
 * or a trajectory of it was forgotten. `other-pair`: the vote was cast on other trajectories than the pair's.
 */
export type VoteOutcome = "added" | "replaced" | "unchanged" | "outdated" | "unknown-pair" | "other-pair";

/** Stores one vote; may be repeated. */
export async function storeVote(vote: Vote, store: ObjectStore): Promise<VoteOutcome> {
  const record = await pairAt(vote.pair_id, store);
  if (record === undefined) return "unknown-pair";
  if (choiceFor(record, vote) === undefined) return "other-pair";
  const key = voteKey(vote.pair_id, vote.voter);
  const before = await readStored(key, voteSchema, store);
  if (before !== undefined) {
    if (Date.parse(before.at) > Date.parse(vote.at)) return "outdated";
    if (JSON.stringify(before) === JSON.stringify(vote)) return "unchanged";
  }
  await store.put(key, Buffer.from(JSON.stringify(vote)));
  // The pair was forgotten in between: nothing of it may stay.
  if (!(await store.exists(pairKey(vote.pair_id)))) {
    await store.erase(key);
    return "unknown-pair";
  }
  return before === undefined ? "added" : "replaced";
}

/** A pair with the votes on it; undefined where the store does not hold it (any more). */
export async function votesOn(
  pairId: string,
  store: ObjectStore,
): Promise<{ readonly record: PairRecord; readonly votes: readonly Vote[] } | undefined> {
  const record = await pairAt(pairId, store);
  if (record === undefined) return undefined;
  return { record, votes: await votesAt(pairId, store) };
}

/** Ids of all pairs that a trajectory is one side of. */
export async function pairsOf(id: string, store: ObjectStore): Promise<readonly string[]> {
  const pairs: string[] = [];
  for await (const { key } of store.list(pairOfPrefix(id))) {
    const record = await readStored(key, pairRecordSchema, store);
    if (record !== undefined) pairs.push(record.pair_id);
  }
  return pairs;
}

/** Everything that people said of pairs, in the order of the pair ids. */
export async function storedVotes(
  store: ObjectStore,
): Promise<{ readonly pairs: readonly PairRecord[]; readonly votes: readonly Vote[] }> {
  const pairs: PairRecord[] = [];
  const votes: Vote[] = [];
  for await (const { key } of store.list("pairs/")) {
    const record = await readStored(key, pairRecordSchema, store);
    if (record === undefined) continue;
    pairs.push(record);
    votes.push(...(await votesAt(record.pair_id, store)));
  }
  return { pairs, votes };
}

async function votesAt(pairId: string, store: ObjectStore): Promise<readonly Vote[]> {
  const votes: Vote[] = [];
  for await (const { key } of store.list(votePrefix(pairId))) {
    const read = await readStored(key, voteSchema, store);
    if (read !== undefined) votes.push(read);
  }
  return votes;
}

/**
 * Keys of all pairs and votes that name a trajectory, in the order in which they are to be erased when it is forgotten:
 * what leads to the others comes last, so that a forgetting that was killed finds the rest when it is repeated.
 */
export async function votesAbout(id: string, store: ObjectStore): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(pairOfPrefix(id))) {
    const record = await readStored(key, pairRecordSchema, store);
    if (record === undefined) continue;
    for await (const { key: vote } of store.list(votePrefix(record.pair_id))) keys.push(vote);
    const other = record.left_id === id ? record.right_id : record.left_id;
    for (const each of [pairKey(record.pair_id), pairOfKey(other, record.pair_id)]) {
      if (await store.exists(each)) keys.push(each);
    }
    keys.push(key);
  }
  return keys;
}

function pairAt(pairId: string, store: ObjectStore): Promise<PairRecord | undefined> {
  return readStored(pairKey(pairId), pairRecordSchema, store);
}
