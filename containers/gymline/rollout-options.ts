import { createHash, randomInt } from "node:crypto";
import { MINI_SWE_AGENT } from "../../shared/agents/harness/harness-bridge.ts";
import { scriptedAgents } from "../../shared/agents/script-file.ts";
import { type EpisodePlan, planEpisodes } from "../../shared/collect/plan-episodes.ts";
import { DEFAULT_PROJECT, rolloutTasksKey } from "../../shared/contracts/keys.ts";
import {
  type RolloutPlan,
  rolloutPlanSchema,
  storedModelSchema,
} from "../../shared/contracts/rollout-plan.ts";
import { modelSettings } from "./agent-settings.ts";
import { envMaker, envOptions } from "./collect-env.ts";
import { bridgeOf } from "./collect-runner.ts";
import {
  type CollectCommandOptions,
  givenSeed,
  limitsOf,
  required,
  type ShapingOptions,
  shapingOf,
} from "./collect-settings.ts";
import { runNameOf, tasksOf } from "./collect-tasks.ts";
import { wholeNumber } from "./deployment.ts";
import { envPorts } from "./env-ports.ts";
import { checkOwnOptions, localModelSettings } from "./onnx-agent.ts";
import { type CarriedRepository, carriedTasks } from "./rollout-repositories.ts";
import { loadSettings } from "./settings.ts";
import { jsonOf, textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

export interface RolloutPlanOptions extends Omit<CollectCommandOptions, "out" | "deployment" | "bucket"> {
  readonly shards?: string;
}

/** A rollout as it is submitted: the plan, and the tasks that go beside it. */
export interface PlannedRollout {
  readonly plan: RolloutPlan;
  readonly tasks: Uint8Array;
  readonly episodes: readonly EpisodePlan[];
  readonly repositories: readonly CarriedRepository[];
}

/**
 * What the options ask for. Files that they name are read here: jobs have none of this machine.
 * @throws UsageError, TasksFileError, TaskFilterError, CollectPlanError, ScriptFileError, HarnessError, UnknownEnvError
 */
export async function planRollout(options: RolloutPlanOptions, now: Date): Promise<PlannedRollout> {
  const shaping = shapingOf({ ...options, out: "" });
  const limits = limitsOf(options);
  const seed = givenSeed(shaping) ?? randomInt(2 ** 32);
  checkCarried(shaping);
  const { tasks: chosen, repositories } = carriedTasks(tasksOf(shaping, seed));
  const run = options.run ?? runNameOf(now);
  const tasks = new TextEncoder().encode(chosen.map((task) => `${JSON.stringify(task)}\n`).join(""));
  const episodes = planEpisodes(chosen, { attempts: limits.attempts, seed });
  const env = { id: required("env", shaping.env), options: envOptions(shaping.envOptions) };
  // What is wrong with the environment shows before anything is submitted.
  await envMaker(env, { ports: await envPorts(shaping.backend), timeoutMs: limits.timeoutMs });
  const { maxTurns, timeoutMs, maxCostUsd, maxRunUsd, maxFailures } = limits;
  const concurrency = wholeNumber("--parallel", options.parallel);
  const { config } = loadSettings(shaping.config === undefined ? {} : { config: shaping.config });
  const read = rolloutPlanSchema.safeParse({
    schema: "gymline.rollout-plan.v1",
    run,
    folder: `${shaping.project ?? DEFAULT_PROJECT}/rollouts/${run}`,
    createdAt: now.toISOString(),
    env,
    agent: agentOfPlan(shaping),
    tasks: {
      key: rolloutTasksKey(run),
      count: chosen.length,
      sha256: createHash("sha256").update(tasks).digest("hex"),
    },
    ...{ attempts: limits.attempts, seed },
    shards: shardsOf(options.shards, episodes.length),
    ...(concurrency === undefined ? {} : { concurrency }),
    limits: {
      ...(maxTurns === undefined ? {} : { maxSteps: maxTurns }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(maxCostUsd === undefined ? {} : { maxCostUsd }),
      ...(maxRunUsd === undefined ? {} : { maxRunUsd }),
      ...(maxFailures === undefined ? {} : { maxFailures }),
    },
    backend: shaping.backend ?? "docker",
    prices: config.judge?.prices ?? {},
  });
  if (read.success) return { plan: read.data, tasks, episodes, repositories };
  const [issue] = read.error.issues;
  const flag = FLAGS.get(String(issue?.path[0])) ?? "an option";
  throw new UsageError(`${flag} is not what a rollout takes: ${issue?.message ?? "not valid"}`, {
    cause: read.error,
  });
}

const FLAGS: ReadonlyMap<string, string> = new Map([
  ["run", "--run (letters, digits, _ and -, 80 at most)"],
  ["folder", "--project (one label, such as team-a)"],
  ["attempts", "--n"],
  ["shards", "--shards"],
]);

/** Never more jobs than episodes. @throws UsageError */
function shardsOf(option: string | undefined, episodes: number): number {
  return Math.min(wholeNumber("--shards", option) ?? 1, episodes);
}

function agentOfPlan(options: ShapingOptions): RolloutPlan["agent"] {
  const name = required("agent", options.agent);
  checkOwnOptions(name, options);
  const model = modelSettings(options);
  if (model !== null) return model;
  const [kind, file] = [name.slice(0, name.indexOf(":")), name.slice(name.indexOf(":") + 1)];
  if (kind === "scripted") {
    if (!/\.jsonc?$/.test(file)) {
      throw new UsageError(`${file} is a module and cannot go along to a job: give a JSON file of turns`);
    }
    const script = jsonOf(textOfFile(file), file);
    scriptedAgents(script, file);
    return { kind: "scripted", script };
  }
  if (name === "onnx") {
    const prefix = storedModelSchema.safeParse(required("model", options.model).replace(/\/+$/, ""));
    if (prefix.success) return { kind: "onnx", model: prefix.data, ...localModelSettings(options) };
    throw new UsageError(
      `--model ${options.model} is no model of the store: with --agent onnx give models/<name>/<version>; for a folder of this machine use gymline collect, or serve the model (--gpu, or --base-url)`,
    );
  }
  const bridge = bridgeOf(name);
  if (bridge !== null) {
    const { name: own } = MINI_SWE_AGENT;
    return {
      kind: "harness",
      bridge: bridge === MINI_SWE_AGENT ? own : bridge,
      model: required("model", options.model),
    };
  }
  throw new UsageError(
    name === "random"
      ? "random acts on this machine alone: use gymline collect"
      : `there is no agent "${name}": give anthropic, openai-compatible, onnx, scripted:<file.json>, mini-swe-agent or bridge:<file.json>`,
  );
}

/** What lies on this machine alone cannot be used there. @throws UsageError */
function checkCarried({ envModule = [] }: ShapingOptions): void {
  const [module] = envModule;
  if (module !== undefined) {
    throw new UsageError(
      `--env-module ${module} cannot go along to a job: collect here (gymline collect), or build it into the job's image`,
    );
  }
}
