import type { EpisodePlan } from "../collect/plan-episodes.ts";

/**
 * The episodes of one job of several: every n-th, so that tasks of one kind, which stand together, are spread over all
 * jobs. Each episode is one shard's and no other's.
 */
export function shardEpisodes(
  episodes: readonly EpisodePlan[],
  { shard, shards }: { readonly shard: number; readonly shards: number },
): readonly EpisodePlan[] {
  return episodes.filter(({ index }) => index % shards === shard);
}

/** Batch did not say which of the jobs this is, or names one that the plan does not have. */
export class ShardError extends Error {
  override readonly name = "ShardError";
}

/**
 * Which shard a job is, by the index that Batch gives the jobs of an array. A job alone has none, since Batch takes no
 * array of one. @throws ShardError
 */
export function shardOf(index: string | undefined, shards: number): number {
  if (index === undefined && shards === 1) return 0;
  const shard = Number(index);
  if (index !== undefined && /^\d+$/.test(index) && shard < shards) return shard;
  throw new ShardError(
    `the plan has ${shards} shards and AWS_BATCH_JOB_ARRAY_INDEX is ${index ?? "not set"}: submit the rollout with gymline rollout --cloud`,
  );
}
