import type { RolloutPlan } from "../../shared/contracts/rollout-plan.ts";
import { type RolloutState, readRollout } from "../../shared/rollout/read-rollout.ts";
import { inDeployment, wholeNumber } from "./deployment.ts";
import { EXIT } from "./exit-code.ts";
import {
  type RolloutCloud,
  resumeRollout,
  rolloutCloud,
  submitRollout,
  uploadRollout,
  waitForRollout,
} from "./rollout-cloud.ts";
import { readPlan } from "./rollout-job.ts";
import { type PlannedRollout, planRollout, type RolloutPlanOptions } from "./rollout-options.ts";
import { plannedText, progressText, rolloutJson, rolloutText } from "./rollout-report.ts";
import { note, out } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export interface RolloutCommandOptions extends RolloutPlanOptions {
  readonly cloud?: boolean;
  readonly gpu?: boolean;
  readonly wait?: boolean;
  readonly poll: string;
  readonly status?: string;
  readonly deployment?: string;
}

/** `given`: names of the options that stood on the command line. */
export async function rolloutCommand(
  options: RolloutCommandOptions,
  given: readonly string[],
): Promise<void> {
  if (options.cloud !== true) {
    throw new UsageError(
      "a rollout runs in Batch jobs of a deployment: give --cloud; to run episodes on this machine, use gymline collect",
    );
  }
  const { status, resume } = options;
  const planned = status === undefined && resume === undefined ? await plannedOf(options) : undefined;
  if (planned !== undefined && options.dryRun === true) return showPlan(planned, options);
  checkAlone(options, given);
  await inDeployment(options, async (deployment, clients) => {
    const machine = options.gpu === true ? "gpu" : "cpu";
    const cloud = await rolloutCloud(deployment, { clients, machine });
    if (status !== undefined) return showStatus(cloud, status, options);
    await submit(cloud, { planned, resume, options });
  });
}

function plannedOf(options: RolloutCommandOptions): Promise<PlannedRollout> {
  if (options.gpu !== true) return planRollout(options, new Date());
  if (options.agent !== "openai-compatible" || options.baseUrl !== undefined) {
    throw new UsageError(
      "--gpu brings a server of the deployment's own model: give --agent openai-compatible and no --base-url",
    );
  }
  return planRollout({ ...options, tokens: true }, new Date());
}

/** A rollout that there is already has its plan. @throws UsageError */
function checkAlone({ status, resume }: RolloutCommandOptions, given: readonly string[]): void {
  const flag = status !== undefined ? "--status" : resume !== undefined ? "--resume" : undefined;
  if (flag === undefined) return;
  const free = ["cloud", "gpu", "wait", "poll", "status", "resume", "deployment", "json", "quiet"];
  const other = given.find((name) => !free.includes(name));
  if (other !== undefined || (status !== undefined && resume !== undefined)) {
    throw new UsageError(`${flag} is of a rollout that has its plan: leave out --${other ?? "resume"}`);
  }
}

function showPlan(planned: PlannedRollout, { json }: RolloutCommandOptions): void {
  out(json === true ? JSON.stringify(planned.plan, null, 2) : plannedText(planned));
}

async function showStatus(
  { store }: RolloutCloud,
  run: string,
  { json }: RolloutCommandOptions,
): Promise<void> {
  const plan = await readPlan(store, run);
  const state = await readRollout(store, run);
  out(json === true ? JSON.stringify(rolloutJson(plan, { state })) : rolloutText(plan, state));
}

async function submit(
  cloud: RolloutCloud,
  parts: {
    readonly planned: PlannedRollout | undefined;
    readonly resume: string | undefined;
    readonly options: RolloutCommandOptions;
  },
): Promise<void> {
  const { planned, resume, options } = parts;
  const { store, jobs } = cloud;
  if (planned !== undefined) await uploadRollout(store, planned);
  const plan = planned?.plan ?? (await resumeRollout(store, { run: resume ?? "", now: Date.now() }));
  const id = await submitRollout(jobs, plan);
  if (options.wait !== true) {
    if (options.json === true) return out(JSON.stringify(rolloutJson(plan, { id })));
    return out(`${id}\n  rollout ${plan.run}: gymline rollout --cloud --status ${plan.run}`);
  }
  note(`job ${id}, rollout ${plan.run}, seed ${plan.seed}`);
  let last = "";
  const ended = await waitForRollout(cloud, {
    ...{ id, run: plan.run, everyMs: (wholeNumber("--poll", options.poll) ?? 1) * 1000 },
    onLook: (status, state) => {
      const line = `${status.state.toLowerCase()}: ${progressText(plan, state)}`;
      if (line !== last && options.quiet !== true && options.json !== true) note(line);
      last = line;
    },
  });
  out(
    options.json === true
      ? JSON.stringify(rolloutJson(plan, { id, ...ended }))
      : rolloutText(plan, ended.state, ended.status),
  );
  process.exitCode = exitCodeOf(plan, ended.state);
}

/** By what came of the episodes: whether Batch calls a job failed says less. */
function exitCodeOf({ attempts, tasks }: RolloutPlan, { done }: RolloutState): number {
  if (done === tasks.count * attempts) return EXIT.done;
  return done === 0 ? EXIT.fault : EXIT.rejected;
}
