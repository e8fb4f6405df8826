import type { RolloutPlan } from "../../shared/contracts/rollout-plan.ts";
import type { JobStatus } from "../../shared/ports/jobs.ts";
import type { RolloutState } from "../../shared/rollout/read-rollout.ts";
import { planReport } from "./collect-report.ts";
import { pc } from "./colours.ts";
import { usdText } from "./judge-report.ts";
import type { PlannedRollout } from "./rollout-options.ts";
import { many, table } from "./terminal.ts";

/** What would be submitted. */
export function plannedText({ plan, episodes }: PlannedRollout): string {
  const { run, seed, shards, folder } = plan;
  return `${pc.bold("Rollout")}   ${run}, seed ${seed}, ${many(shards, "job")}, into ${folder}\n${planReport(episodes)}`;
}

/** One line of how far it is. */
export function progressText({ attempts, tasks }: RolloutPlan, state: RolloutState): string {
  const { done, failed, succeeded, costUsd } = state;
  const money = costUsd > 0 ? `, ${usdText(costUsd)}` : "";
  return `${done} of ${tasks.count * attempts} done (${succeeded} succeeded), ${failed} failed${money}`;
}

export function rolloutText(plan: RolloutPlan, state: RolloutState, status?: JobStatus): string {
  const rows = state.shards.map(({ shard, state: what, attempt, episodes, done, failed, at, job }) => [
    ...[String(shard), what, String(attempt), `${done}/${episodes}`, String(failed), at, job ?? "–"],
  ]);
  const titles = ["shard", "state", "try", "done", "failed", "last heard", "job"].map((title) => ({ title }));
  const idle = plan.shards - state.shards.length;
  return [
    `${pc.bold("Rollout")}   ${plan.run}: ${progressText(plan, state)}`,
    ...(rows.length === 0 ? [] : [table(titles, rows)]),
    ...(idle === 0 ? [] : [`  ${many(idle, "job")} not begun`]),
    // Of a job that no instance can hold, nothing else says so.
    ...(status?.state === "FAILED" ? [`  ${pc.red("the job failed")}: ${status.reason ?? "no reason"}`] : []),
  ].join("\n");
}

/** The same as a document. */
export function rolloutJson(
  plan: RolloutPlan,
  about: {
    readonly id?: string;
    readonly status?: JobStatus;
    readonly state?: RolloutState;
  },
): unknown {
  const { id, status, state } = about;
  return {
    schema: "gymline.rollout.v1",
    run: plan.run,
    seed: plan.seed,
    shards: plan.shards,
    episodes: plan.tasks.count * plan.attempts,
    folder: plan.folder,
    ...(id === undefined ? {} : { job: id }),
    ...(status === undefined ? {} : { job_state: status.state, job_reason: status.reason ?? null }),
    ...(state === undefined
      ? {}
      : {
          done: state.done,
          failed: state.failed,
          succeeded: state.succeeded,
          cost_usd: state.costUsd,
          progress: state.shards,
        }),
  };
}
