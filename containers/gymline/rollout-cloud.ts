import { setTimeout as sleep } from "node:timers/promises";
import { BatchJobs } from "../../shared/adapters/aws/batch-jobs.ts";
import { type DeployedResources, DeploymentError } from "../../shared/adapters/aws/find-deployment.ts";
import type { OperatorClients } from "../../shared/adapters/aws/operator-clients.ts";
import { S3Store } from "../../shared/adapters/aws/s3-store.ts";
import { rolloutPlanKey } from "../../shared/contracts/keys.ts";
import {
  ROLLOUT_AGENT_CONTAINER,
  type RolloutMachine,
  rolloutDefinitionName,
  rolloutQueueName,
} from "../../shared/contracts/names.ts";
import type { RolloutPlan } from "../../shared/contracts/rollout-plan.ts";
import type { JobStatus, Jobs } from "../../shared/ports/jobs.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { type RolloutState, readRollout } from "../../shared/rollout/read-rollout.ts";
import { rolloutRequest } from "../../shared/rollout/rollout-request.ts";
import { readPlan } from "./rollout-job.ts";
import type { PlannedRollout } from "./rollout-options.ts";
import { uploadRepositories } from "./rollout-repositories.ts";
import { UsageError } from "./usage-error.ts";

/** The rollouts of one deployment: its store, and the queue of the machines that are asked for. */
export interface RolloutCloud {
  readonly store: ObjectStore;
  readonly jobs: Jobs;
}

export async function rolloutCloud(
  { name, storeBucket }: Pick<DeployedResources, "name" | "storeBucket">,
  { clients, machine }: { readonly clients: OperatorClients; readonly machine: RolloutMachine },
): Promise<RolloutCloud> {
  return {
    store: new S3Store({ client: await clients.s3(), bucket: storeBucket }),
    jobs: new BatchJobs({
      client: await clients.batch(),
      queue: rolloutQueueName(name, machine),
      definition: rolloutDefinitionName(name, machine),
      // A job of two containers is told which of them the command is for.
      ...(machine === "gpu" ? { container: ROLLOUT_AGENT_CONTAINER } : {}),
    }),
  };
}

/** Puts plan, tasks and the repositories that they begin from into the store. @throws UsageError where there is a rollout of that name, or no such model */
export async function uploadRollout(
  store: ObjectStore,
  { plan, tasks, repositories }: PlannedRollout,
): Promise<void> {
  const { agent } = plan;
  if (agent.kind === "onnx" && !(await store.exists(`${agent.model}/onnx/config.json`))) {
    throw new UsageError(
      `the store has no ${agent.model}/onnx/: give a model that was trained with --set export=onnx, or copy its folder there`,
    );
  }
  const bytes = new TextEncoder().encode(`${JSON.stringify(plan, null, 2)}\n`);
  if ((await store.putIfAbsent(rolloutPlanKey(plan.run), bytes)) === "exists") {
    throw new UsageError(
      `there is a rollout ${plan.run} already: go on with it (--resume ${plan.run}), or give another --run`,
    );
  }
  await uploadRepositories(store, { name: plan.run, repositories });
  await store.put(plan.tasks.key, tasks);
}

/** A heartbeat is written four times as often. */
const ALIVE_MS = 60_000;

/** The plan of a rollout that is to go on. @throws UsageError while one of its jobs runs, RolloutPlanError */
export async function resumeRollout(
  store: ObjectStore,
  { run, now }: { readonly run: string; readonly now: number },
): Promise<RolloutPlan> {
  const plan = await readPlan(store, run);
  const { shards } = await readRollout(store, run);
  const alive = shards.find(({ state, at }) => state === "running" && Date.parse(at) > now - ALIVE_MS);
  if (alive === undefined) return plan;
  throw new UsageError(
    `the rollout ${run} still runs (shard ${alive.shard}, job ${alive.job}); look at it with --status ${run}, or end the job first`,
  );
}

/** @throws DeploymentError where the deployment has no rollouts */
export async function submitRollout(jobs: Jobs, plan: RolloutPlan): Promise<string> {
  const { run } = plan;
  try {
    const { id } = await jobs.submit(rolloutRequest(plan));
    return id;
  } catch (cause) {
    // So Batch calls it where there is no such queue or definition.
    if (!(cause instanceof Error) || cause.name !== "ClientException") throw cause;
    throw new DeploymentError(
      `the deployment takes no such rollouts (${cause.message}): switch them on with batch.rollouts, for --gpu with batch.rollouts.gpu, in gymline.deploy.json and deploy (docs/ROLLOUTS.md), then submit with --resume ${run}`,
      { cause },
    );
  }
}

export interface WaitOptions {
  readonly id: string;
  readonly run: string;
  readonly everyMs: number;
  readonly onLook: (status: JobStatus, state: RolloutState) => void;
}

/** Looks again and again until the job has ended. @throws UsageError where Batch forgot it */
export async function waitForRollout(
  { store, jobs }: RolloutCloud,
  { id, run, everyMs, onLook }: WaitOptions,
): Promise<{ readonly status: JobStatus; readonly state: RolloutState }> {
  for (;;) {
    const [status] = await jobs.describe([id]);
    if (status === undefined) {
      throw new UsageError(
        `Batch no longer knows the job ${id}; gymline rollout --cloud --status ${run} tells how far it came`,
      );
    }
    const state = await readRollout(store, run);
    onLook(status, state);
    if (status.state === "SUCCEEDED" || status.state === "FAILED") return { status, state };
    await sleep(everyMs);
  }
}
