import { z } from "zod";
import {
  blobKey,
  judgeCacheKey,
  judgementPrefix,
  labelPrefix,
  scorePrefix,
  trajectoryPrefix,
} from "../contracts/keys.ts";
import type { Catalog, DatasetUse } from "../ports/catalog.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { removeEvidence } from "./add-evidence.ts";
import { cachedAnswerSchema } from "./judge/answer-cache.ts";
import { votesAbout } from "./store-votes.ts";
import { parseStored } from "./stored-json.ts";

export interface Forgetting {
  /** The trajectory and the shorter logs of its session that it had superseded. */
  readonly ids: readonly string[];
  readonly removed: readonly string[];
  /** Versions that hold a row of it, marked in the catalog: immutable, to be exported anew and removed by hand. */
  readonly datasets: readonly DatasetUse[];
}

/**
 * Forgets a trajectory for good: the tombstone comes first, so that nothing brings it back while its objects go;
 * repeated after a kill, it removes what was left.
 */
export async function forget(
  id: string,
  ports: { readonly store: ObjectStore; readonly catalog: Catalog; readonly ledger: Ledger },
): Promise<Forgetting> {
  const { store, catalog, ledger } = ports;
  const { ids, orphanBlobs } = await catalog.forget(id);
  await catalog.flush();
  const removed: string[] = [];
  const datasets: DatasetUse[] = [];
  for (const gone of ids) {
    datasets.push(...(await catalog.datasetsOf(gone)));
    removed.push(...(await cacheKeysOf(gone, store)), ...(await votesAbout(gone, store)));
    for (const prefixOf of [trajectoryPrefix, scorePrefix, judgementPrefix, labelPrefix]) {
      for await (const { key } of store.list(prefixOf(gone))) removed.push(key);
    }
  }
  removed.push(...orphanBlobs.map(blobKey));
  for (const key of removed) await store.erase(key);
  for (const gone of ids) await removeEvidence(gone, ledger);
  return { ids, removed, datasets };
}

/** Judgements and what is under way to one name the questions that they rest on. */
const restsOnSchema = z.object({ cache_keys: z.array(z.string()) });

/** Answers of a judge quote what they judge: the cache entries that a judgement rests on go before it. */
async function cacheKeysOf(id: string, store: ObjectStore): Promise<readonly string[]> {
  const keys = new Set<string>();
  for await (const { key } of store.list(judgementPrefix(id))) {
    const read = parseStored(await store.read(key), restsOnSchema);
    const found =
      read.kind === "value" ? read.value.cache_keys.map(judgeCacheKey) : await answersPaidFor(id, store);
    for (const each of found) if (await store.exists(each)) keys.add(each);
  }
  return [...keys];
}

/** Where a damaged judgement does not say what it rests on, the answers say whom they were paid for. */
async function answersPaidFor(id: string, store: ObjectStore): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list("judge-cache/")) {
    const read = parseStored(await store.read(key), cachedAnswerSchema);
    // One that cannot be read is of no use to anybody, and may be the one.
    if (read.kind === "fault" || read.value.paidFor.trajectory === id) keys.push(key);
  }
  return keys;
}
