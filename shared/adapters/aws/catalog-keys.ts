import { createHash } from "node:crypto";
import type { SourcePlace } from "../../contracts/catalog-row.ts";

/*
 * The items of the catalog's table. What belongs together stands in one partition, so that consistent reads suffice
 * wherever correctness hangs on them; indexes serve listings and selection only.
 *
 *   pk                  sk                                      what
 *   T#<id>              ROW                                     all facts, score, counters; in all four indexes
 *                       PLACE#<object>#<entry>#<index>#<ordinal>  a place it was dropped at (hashes of the names)
 *                       REV#<revision>                          a revision of its document
 *                       BLOB#<sha256>                           an attachment it uses; stays when it is forgotten
 *                       SET#<name>#<version>                    a dataset that has a row of it; stays likewise
 *                       FEED#<source>                           what a source says of it
 *                       OVER#<id>                               a shorter log that it supersedes
 *                       PREFIX#<digest>#<chunk>                 prefixes of a log too long for its session entry
 *                       TOMB                                    it was forgotten; says with which root
 *                       GONE#<id>                               (of a root) what was forgotten along with it
 *   O#<object key>      STATE                                   what was read of the object; in index byGroup. Before
 *                                                               that, it says that the object has places or a report
 *                       PLACE#<entry>#<index>#<ordinal>         whose place that is, and since which generation
 *   S#<session key>     TOMB                                    a trajectory of the session was forgotten
 *                       HEAD#<group>                            rises with each change in the group
 *                       E#<group>#<id>                          a log of the session that nothing supersedes
 *   B#<sha256>          <id>                                    a user of an attachment
 *   C#<shard>#<project> COUNT                                   first scores; the project "" counts them all
 *   D                   <name>#<version>                        a registered dataset
 *   F#<name>#<version>  <id>                                    a forgotten trajectory that the dataset holds
 *   L                   K#<key>                                 a ledger record
 *
 * A session's group is the first prefix of a log: logs of which one starts like the other share it. Names too long
 * for a key are replaced by their hash, under a partition of another kind (`O~#`) so that no name can pose as one.
 */

/** The key of an item. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

export function keyOf(item: { readonly [name: string]: unknown }): ItemKey {
  return { pk: String(item["pk"]), sk: String(item["sk"]) };
}

/** One text for each key. */
export function nameOf({ pk, sk }: ItemKey): string {
  return `${pk}\n${sk}`;
}

/** Of the 2048 bytes that a partition key may have. */
const LONGEST_NAME = 1900;
const LONGEST_SORT = 1000;

export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function named(kind: string, name: string): string {
  return Buffer.byteLength(name) <= LONGEST_NAME ? `${kind}#${name}` : `${kind}~#${sha256(name)}`;
}

function shortHash(name: string): string {
  return sha256(name).slice(0, 32);
}

export const trajectoryPk = (id: string) => `T#${id}`;
export const rowKey = (id: string): ItemKey => ({ pk: trajectoryPk(id), sk: "ROW" });
export const tombKey = (id: string): ItemKey => ({ pk: trajectoryPk(id), sk: "TOMB" });
export const goneKey = (root: string, id: string): ItemKey => ({ pk: trajectoryPk(root), sk: `GONE#${id}` });
export const overKey = (by: string, id: string): ItemKey => ({ pk: trajectoryPk(by), sk: `OVER#${id}` });
export const blobLinkKey = (id: string, sha: string): ItemKey => ({
  pk: trajectoryPk(id),
  sk: `BLOB#${sha}`,
});
export const feedbackKey = (id: string, source: string): ItemKey => ({
  pk: trajectoryPk(id),
  sk: `FEED#${source}`,
});
export const revisionKey = (id: string, revision: string): ItemKey => ({
  pk: trajectoryPk(id),
  sk: `REV#${revision}`,
});

export const placeKey = (id: string, place: SourcePlace): ItemKey => ({
  pk: trajectoryPk(id),
  sk: `PLACE#${shortHash(place.key)}#${positionOf(place)}`,
});

function positionOf(place: Pick<SourcePlace, "entry" | "index" | "ordinal">): string {
  return `${shortHash(place.entry ?? "")}#${place.index}#${place.ordinal}`;
}

export const objectPk = (dropKey: string) => named("O", dropKey);
export const stateKey = (dropKey: string): ItemKey => ({ pk: objectPk(dropKey), sk: "STATE" });
export const objectPlaceKey = (place: Pick<SourcePlace, "key" | "entry" | "index" | "ordinal">): ItemKey => ({
  pk: objectPk(place.key),
  sk: `PLACE#${positionOf(place)}`,
});

/** Where a log stands among those of its session; without prefixes it is compared with none (group ""). */
export interface SessionGroup {
  readonly key: string;
  readonly group: string;
}

export const sessionPk = (key: string) => named("S", key);
export const sessionTombKey = (key: string): ItemKey => ({ pk: sessionPk(key), sk: "TOMB" });
export const headKey = ({ key, group }: SessionGroup): ItemKey => ({
  pk: sessionPk(key),
  sk: `HEAD#${group}`,
});
export const logsPrefix = ({ group }: SessionGroup) => `E#${group}#`;
export const logKey = (session: SessionGroup, id: string): ItemKey => ({
  pk: sessionPk(session.key),
  sk: `${logsPrefix(session)}${id}`,
});
export const chunkKey = (id: string, chunk: { readonly digest: string; readonly number: number }) => ({
  pk: trajectoryPk(id),
  sk: `PREFIX#${chunk.digest}#${chunk.number}`,
});

export const blobPk = (sha: string) => `B#${sha}`;
export const blobUserKey = (sha: string, id: string): ItemKey => ({ pk: blobPk(sha), sk: id });

const COUNTER_SHARDS = 32;

/** Counters of a busy pipeline would wait for each other: each trajectory counts in a shard, by its id. */
export function counterShard(id: string): number {
  return Number.parseInt(id.slice(-2), 16) % COUNTER_SHARDS;
}

export function counterKeys(project: string): readonly ItemKey[] {
  return Array.from({ length: COUNTER_SHARDS }, (_, shard) => counterKey(project, shard));
}

export function counterKey(project: string, shard: number): ItemKey {
  return { pk: named(`C#${shard}`, project), sk: "COUNT" };
}

export const DATASETS_PK = "D";
export const datasetKey = (name: string, version: string): ItemKey => ({
  pk: DATASETS_PK,
  sk: `${name}#${version}`,
});
export const useKey = (id: string, dataset: { readonly name: string; readonly version: string }) => ({
  pk: trajectoryPk(id),
  sk: `SET#${dataset.name}#${dataset.version}`,
});

export const forgottenPk = ({ name, version }: { readonly name: string; readonly version: string }) =>
  `F#${name}#${version}`;
export const forgottenKey = (
  id: string,
  dataset: { readonly name: string; readonly version: string },
): ItemKey => ({ pk: forgottenPk(dataset), sk: id });

export const LEDGER_PK = "L";
export const ledgerKey = (key: string): ItemKey => ({ pk: LEDGER_PK, sk: `K#${key}` });

/** Keys in the indexes. */

const SHARDS = [..."0123456789abcdef"];
export const rewardShards = SHARDS.map((digit) => `R#${digit}`);
export const rewardShard = (id: string) => `R#${id.slice(0, 1)}`;
export const taskGroup = (taskKey: string) => named("K", taskKey);
export const unscoredShards = SHARDS.map((digit) => `U#${digit}`);
export const unscoredShard = (id: string) => `U#${id.slice(0, 1)}`;
export const idGroup = (id: string) => `I#${id.slice(0, 4)}`;
export const objectGroups = SHARDS.map((digit) => `O#${digit}`);
export const objectGroup = (dropKey: string) => `O#${sha256(dropKey).slice(0, 1)}`;

/** Objects sort by their keys; one that is longer than an S3 key can be sorts by its beginning. */
export function objectOrder(dropKey: string): string {
  if (Buffer.byteLength(dropKey) <= LONGEST_SORT) return dropKey;
  return `${Buffer.from(dropKey).subarray(0, 900).toString("utf8")}#${sha256(dropKey)}`;
}

/** A moment in milliseconds, so that texts sort as times do. */
export function momentText(milliseconds: number): string {
  const whole = Math.min(Math.max(Math.ceil(milliseconds), 0), 999_999_999_999_999);
  return String(whole).padStart(15, "0");
}
