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

/** Records read at a time. */
const READING = 16;

/** @throws ZodError for a record of another version */
export async function readRollout(
  store: Pick<ObjectStore, "list" | "read">,
  run: string,
): Promise<RolloutState> {
  const keys: string[] = [];
  for await (const { key } of store.list(rolloutProgressPrefix(run))) keys.push(key);
  const shards: RolloutProgress[] = [];
  for (let at = 0; at < keys.length; at += READING) {
    const some = await Promise.all(keys.slice(at, at + READING).map((key) => store.read(key)));
    for (const bytes of some) {
      shards.push(rolloutProgressSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8"))));
    }
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
