import type { RolloutPlan } from "../contracts/rollout-plan.ts";
import type { JobRequest } from "../ports/jobs.ts";

/** The job of a rollout, or the array of them. Batch takes no array of one. */
export function rolloutRequest({ run, shards }: Pick<RolloutPlan, "run" | "shards">): JobRequest {
  return {
    name: `rollout-${run}`,
    command: ["job", "rollout", "--run", run],
    ...(shards === 1 ? {} : { arraySize: shards }),
  };
}
