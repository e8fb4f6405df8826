import { createHash } from "node:crypto";
import { join } from "node:path";
import canonicalize from "canonicalize";
import { z } from "zod";
import { EpisodeFolder, RunFolderError } from "../../shared/adapters/local/episode-folder.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import type { EpisodeRunner } from "../../shared/collect/episode-runner.ts";
import type { Evaluation } from "../../shared/contracts/evaluation.ts";
import { envs } from "../../shared/env/envs.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { type AgentEvaluation, evaluateRunner, hashOfTasks } from "../../shared/evaluation/evaluate-agent.ts";
import { evaluationOf } from "../../shared/evaluation/evaluation-of.ts";
import type { ComparisonSettings } from "../../shared/evaluation/settings.ts";
import { envOptions } from "./collect-env.ts";
import { collectRunner } from "./collect-runner.ts";
import { type CollectLimits, limitsOf, type ShapingOptions } from "./collect-settings.ts";
import { CollectTable } from "./collect-table.ts";
import { tasksOf } from "./collect-tasks.ts";
import {
  type AgentChoice,
  agentsOf,
  comparisonSettings,
  type EvaluateCommandOptions,
  episodesSeed,
} from "./evaluate-settings.ts";
import { checkReports, showEvaluation, writeReports } from "./evaluation-output.ts";
import { EXIT } from "./exit-code.ts";
import { stopper } from "./stopper.ts";
import { note, out } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Lets agents attempt the same tasks under the same seeds, and stores what came of it. */
export async function evaluateCommand(options: EvaluateCommandOptions): Promise<void> {
  checkReports(options.report ?? []);
  const asked = await askedOf(options);
  if (options.dryRun === true) return showPlan(asked);
  const results = await runAgents(asked, options);
  const [first] = results;
  if (results.length < asked.agents.length || first === undefined) {
    note("the evaluation is not complete and was not written; the same command goes on with what is missing");
    process.exitCode = EXIT.rejected;
    return;
  }
  const { env, attempts, seed, settings } = asked;
  const { planned, tasksHash } = first;
  const parts = evaluationOf(
    { env, attempts, seed, planned, tasksHash },
    { agents: results.map(({ agent }) => agent), settings },
  );
  const { storeInFolder } = await import("./evaluation-store.ts");
  await storeInFolder(options.out, parts);
  showEvaluation(parts, { ...options, place: options.out });
  await writeReports(parts.document, options.report ?? []);
  if (!parts.document.valid) process.exitCode = EXIT.rejected;
}

interface Asked {
  readonly agents: readonly (AgentChoice & {
    /** Follows from all that shapes its episodes. */
    readonly run: string;
    readonly makeRunner: () => EpisodeRunner;
  })[];
  readonly env: Evaluation["env"];
  readonly tasks: readonly EnvTask[];
  readonly attempts: number;
  readonly seed: number;
  readonly limits: CollectLimits;
  readonly settings: ComparisonSettings;
}

/** Everything is checked before the first episode begins. */
async function askedOf(options: EvaluateCommandOptions): Promise<Asked> {
  const choices = agentsOf(options);
  const settings = comparisonSettings(options);
  const limits = limitsOf(options);
  const seed = episodesSeed(options.seed);
  for (const name of ["env", "tasks"] as const) {
    if (options[name] !== undefined) continue;
    throw new UsageError(`evaluate needs --${name}; gymline evaluate --help has examples`);
  }
  const common = commonOf(options);
  const tasks = tasksOf(common, seed);
  const made = [];
  for (const choice of choices) {
    const makeRunner = await collectRunner({ ...common, ...choice.options }, limits);
    made.push({ ...choice, makeRunner });
  }
  const env = {
    id: envs.envSpec(options.env ?? "")?.id ?? "",
    options: z.record(z.string(), z.json()).parse(envOptions(options.envOptions)),
  };
  const { maxTurns, timeoutMs, maxCostUsd } = limits;
  const configured = Object.entries({ maxTurns, timeoutMs, maxCostUsd, backend: options.backend });
  const shared = Object.fromEntries(
    configured.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
  const agents = made.map(({ configuration: own, ...rest }) => {
    const configuration = { ...own, ...shared };
    const shaping = { env, tasks: hashOfTasks(tasks), seed, configuration, model: rest.model };
    return { ...rest, configuration, run: runOf({ ...shaping, label: options.label ?? null }) };
  });
  return { agents, env, tasks, attempts: limits.attempts, seed, limits, settings };
}

/** Options that all agents have in common. */
function commonOf(options: EvaluateCommandOptions): ShapingOptions {
  const names = [
    ...["env", "envOptions", "envModule", "tasks", "ids", "domain", "difficulty", "language"],
    ...["sample", "limit", "maxSteps", "timeout", "maxCost", "config", "repos", "backend"],
  ] as readonly (keyof ShapingOptions & keyof EvaluateCommandOptions)[];
  const given = names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]));
  return Object.fromEntries(given);
}

/** Episodes of the same agent, environment, tasks and seed are one run, whichever agents it is compared with. */
function runOf(shaping: object): string {
  return `eval-${createHash("sha256")
    .update(String(canonicalize(shaping)))
    .digest("hex")
    .slice(0, 16)}`;
}

function showPlan({ agents, tasks, attempts, seed }: Asked): void {
  const each = tasks.length * attempts;
  out(`${each * agents.length} episodes would be run, ${each} of each agent, seed ${seed}:`);
  for (const { name, run } of agents) out(`  ${name}  (${run})`);
}

/** One agent after the other; fewer than all where the run was stopped. */
async function runAgents(asked: Asked, options: EvaluateCommandOptions): Promise<readonly AgentEvaluation[]> {
  const stop = stopper("the same command goes on later");
  const results: AgentEvaluation[] = [];
  let left = asked.limits.maxRunUsd;
  try {
    for (const agent of asked.agents) {
      const { result, usd } = await runAgent(agent, { asked, options, signal: stop.signal, left });
      if (result.ended === "stopped") break;
      if (result.ended !== "done") note(`${agent.name}: ${WHY_ENDED[result.ended]}`);
      if (left !== undefined) left = Math.max(0, left - usd);
      results.push(result);
    }
  } finally {
    stop.release();
  }
  return results;
}

const WHY_ENDED = {
  budget: "the money is spent (--max-run-cost); what is missing counts as a problem",
  failures: "too many episodes failed one after another (--max-failures)",
} as const;

async function runAgent(
  agent: Asked["agents"][number],
  of: {
    readonly asked: Asked;
    readonly options: EvaluateCommandOptions;
    readonly signal: AbortSignal;
    /** US dollars that are left. */
    readonly left: number | undefined;
  },
): Promise<{ readonly result: AgentEvaluation; readonly usd: number }> {
  const { asked, options, signal, left } = of;
  const { tasks, attempts, seed, limits } = asked;
  const folder = openRun(options.rollouts ?? join(options.out, "rollouts"), agent.run);
  try {
    // There may be more attempts of an earlier evaluation.
    const kept = [...(await folder.entries()).values()];
    const done = kept.filter(({ kind, attempt }) => kind === "done" && attempt < attempts);
    const total = tasks.length * attempts;
    const quiet = options.quiet === true || options.json === true;
    const table = new CollectTable({ total, done, quiet, run: agent.name, seed });
    const { name, model, configuration, makeRunner, run } = agent;
    try {
      const result = await evaluateRunner(
        {
          ...{ name, model, configuration, makeRunner, run, tasks, attempts, seed },
          parallel: limits.parallel,
          ...(left === undefined ? {} : { maxUsd: left }),
          ...(limits.maxFailures === undefined ? {} : { maxFailuresInRow: limits.maxFailures }),
        },
        { clock: systemClock, ledger: folder, signal, onEvent: (event) => table.update(event) },
      );
      const usd = result.agent.episodes.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0);
      return { result, usd };
    } finally {
      table.end();
    }
  } finally {
    folder.close();
  }
}

/** The run as far as it has come, or a new one. @throws RunFolderError, StoreBusyError */
function openRun(root: string, run: string): EpisodeFolder {
  try {
    return EpisodeFolder.begin(root, run, { folder: run });
  } catch (error) {
    if (!(error instanceof RunFolderError)) throw error;
    return EpisodeFolder.resume(root, run).folder;
  }
}
