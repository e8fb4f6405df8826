import { rolloutProgressPrefix } from "../contracts/keys.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { type RolloutProgress, rolloutProgressSchema } from "./rollout-progress.ts";

/** How far a rollout is, added up over its jobs. */
export interface RolloutState {
  /** Those that have begun, by shard. */
  readonly shards: readonly RolloutProgress[];
  readonly done: number;
  readonly failed: number;
  readonly succeeded: number;
  readonly costUsd: number;
}

/** @throws ZodError for a record of another version */
export async function readRollout(
  store: Pick<ObjectStore, "list" | "read">,
  run: string,
): Promise<RolloutState> {
  const shards: RolloutProgress[] = [];
  for await (const { key } of store.list(rolloutProgressPrefix(run))) {
    const bytes = await store.read(key);
    shards.push(rolloutProgressSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8"))));
  }
  const sum = (figure: (shard: RolloutProgress) => number): number =>
    shards.reduce((total, shard) => total + figure(shard), 0);
  return {
    shards,
    done: sum(({ done }) => done),
    failed: sum(({ failed }) => failed),
    succeeded: sum(({ succeeded }) => succeeded),
    costUsd: sum(({ cost_usd }) => cost_usd),
  };
}
