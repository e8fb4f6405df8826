import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Evaluation, evaluationSchema } from "../../shared/contracts/evaluation.ts";
import { type Decision, decisionSchema } from "../../shared/contracts/model.ts";
import type { Estimate } from "../../shared/statistics/result.ts";
import { householdTasks } from "./household-tasks.ts";
import type { Workplace } from "./workplace.ts";

/** How much of everything. */
export interface LoopSize {
  /** Tasks that the random agent attempts, and how often each. */
  readonly explored: { readonly tasks: number; readonly attempts: number };
  /** Tasks that no model is trained on. */
  readonly heldOut: number;
  readonly epochs: number;
  /** Of the rounds in which the champion's own attempts train it; none: 0. */
  readonly practice: {
    readonly rounds: number;
    readonly tasks: number;
    readonly attempts: number;
    readonly epochs: number;
  };
}

export interface Round {
  readonly version: string;
  readonly decision: Decision;
  readonly evaluation: Evaluation;
}

export interface LoopResult {
  readonly rounds: readonly Round[];
  readonly control: Round;
}

/** An errand takes two turns at the most; a model that draws its words could wander on for many more. */
const ENV = ["--env", "gymline/household-v1", "--max-steps", "4"] as const;
const MODEL = "errands";
/** Answers are short; what knows nothing would talk on and on. */
const ACTING = { temperature: 0, answerTokens: 24, system: "no-system-prompt.txt" } as const;
const EXPORT = [
  "--set",
  "export=onnx",
  "--set",
  "gradient_accumulation_steps=1",
  "--max-length",
  "768",
] as const;

/**
 * The whole loop by the program's own commands, in one folder: an agent that acts at random, a model that knows nothing
 * trained on what succeeded by chance, then on its own attempts; each candidate against the champion on tasks held out,
 * and the gate decides at α = 0.01. A control is trained in the same way on attempts that failed.
 */
export async function runLoop(
  place: Workplace,
  {
    size,
    seed,
    say,
  }: { readonly size: LoopSize; readonly seed: number; readonly say: (line: string) => void },
): Promise<LoopResult> {
  const tasks = householdTasks(seed);
  const practised = size.explored.tasks + size.practice.rounds * size.practice.tasks;
  place.write("no-system-prompt.txt", "");
  place.write("policy.json", JSON.stringify({ alpha: 0.01, minimumTasks: 40, minimumEpisodes: 40 }));
  const write = (name: string, from: number, count: number): void =>
    place.write(
      name,
      tasks
        .slice(from, from + count)
        .map((task) => `${JSON.stringify(task)}\n`)
        .join(""),
    );
  write("explored.jsonl", 0, size.explored.tasks);
  write("held-out.jsonl", practised, size.heldOut);

  say(`explore   an agent that draws tools and params at random attempts ${size.explored.tasks} tasks`);
  const { summary } = await place.json(
    [
      ...["collect", ...ENV, "--agent", "random", "--system", ACTING.system, "--tasks", "explored.jsonl"],
      ...["--n", `${size.explored.attempts}`, "--seed", `${seed}`, "--run", "explored", "--quiet"],
    ],
    {
      schema: z.object({
        summary: z.object({ success: z.custom<Estimate>(), episodes: z.object({ done: z.int() }) }),
      }),
    },
  );
  say(`          ${summary.episodes.done} episodes, success ${share(summary.success)}: chance`);
  await takeIn(place);
  const successes = await exported(place, { name: "successes", args: [] });
  say(`export    what succeeded: ${successes.rows} trajectories, dataset ${successes.id}`);

  await place.train([
    "new",
    "--data",
    successes.id,
    "--store",
    "out",
    "--out",
    "models/base",
    "--seed",
    `${seed}`,
  ]);
  const base = z
    .object({ parameters: z.int(), tokens: z.int() })
    .parse(JSON.parse(readFileSync(join(place.folder, "models/base/new.json"), "utf8")));
  say(`new       a model with random weights: ${base.parameters} parameters, ${base.tokens} tokens`);
  await register(place, { version: "base", parent: null, dataset: null, algorithm: null });
  await place.gymline(["models", "promote", `${MODEL}/base`, "--reason", "the first: it has learnt nothing"]);

  // Trained in the same way, on as many attempts; only that these did not succeed.
  const failures = await exported(place, {
    name: "failures",
    args: ["--success", "false", "--limit", `${successes.rows}`],
  });
  const sft = { algorithm: "sft", parent: "base", options: sftOptions(size.epochs, seed) } as const;
  const first = { ...sft, version: "sft", data: successes };
  const other = { ...sft, version: "control", data: failures };
  await Promise.all([first, other].map((training) => train(place, { ...training, say })));
  const rounds = [await judged(place, { ...first, champion: "base", chance: true, say })];
  let champion = promoted(rounds[0]) ? "sft" : "base";
  const control = await judged(place, { ...other, champion, chance: false, say });

  for (let index = 1; index <= size.practice.rounds; index += 1) {
    const run = `practice-${index}`;
    write(`${run}.jsonl`, size.explored.tasks + (index - 1) * size.practice.tasks, size.practice.tasks);
    say(
      `practice  ${MODEL}/${champion} attempts ${size.practice.tasks} new tasks, ${size.practice.attempts} times each`,
    );
    const own = await place.json(
      [
        ...["collect", ...ENV, "--agent", "onnx", "--model", `models/${champion}/onnx`, "--temperature", "1"],
        ...[
          "--answer-tokens",
          `${ACTING.answerTokens}`,
          "--system",
          ACTING.system,
          "--tasks",
          `${run}.jsonl`,
        ],
        ...[
          "--n",
          `${size.practice.attempts}`,
          "--seed",
          `${seed}`,
          "--run",
          run,
          "--parallel",
          "8",
          "--quiet",
        ],
      ],
      { schema: z.object({ summary: z.object({ success: z.custom<Estimate>() }) }) },
    );
    say(`          success at temperature 1: ${share(own.summary.success)}`);
    await takeIn(place);
    const data = await exported(place, {
      name: `groups-${index}`,
      args: ["--target", "grpo-offline", "--project", run],
    });
    const version = `grpo-${index}`;
    const options = [
      "--epochs",
      `${size.practice.epochs}`,
      "--learning-rate",
      "3e-4",
      "--batch-size",
      "16",
      "--seed",
      `${seed}`,
    ];
    const grpo = { algorithm: "grpo", parent: champion, options, version, data } as const;
    await train(place, { ...grpo, say });
    const next = await judged(place, { ...grpo, champion, chance: false, say });
    rounds.push(next);
    if (promoted(next)) champion = version;
  }
  return { rounds, control };
}

function sftOptions(epochs: number, seed: number): readonly string[] {
  return ["--epochs", `${epochs}`, "--learning-rate", "3e-3", "--batch-size", "16", "--seed", `${seed}`];
}

interface Training {
  readonly version: string;
  readonly algorithm: "sft" | "grpo";
  readonly parent: string;
  readonly options: readonly string[];
  readonly data: { readonly id: string; readonly rows: number };
}

type Say = { readonly say: (line: string) => void };

async function train(place: Workplace, of: Training & Say): Promise<void> {
  const { version, algorithm, parent, data } = of;
  of.say(`train     ${algorithm} of ${MODEL}/${parent} on ${data.rows} trajectories of ${data.id}`);
  const places = ["--data", data.id, "--store", "out", "--model", `models/${parent}/model`];
  await place.train([algorithm, ...places, "--out", `models/${version}`, ...of.options, ...EXPORT]);
}

interface Candidate extends Training {
  readonly champion: string;
  /** Whether the agent that acts at random takes part in the evaluation. */
  readonly chance: boolean;
}

/** Evaluates a candidate that is trained against the champion on the tasks held out, and lets the gate decide. */
async function judged(place: Workplace, of: Candidate & Say): Promise<Round> {
  const { version, algorithm, parent, data, champion, say } = of;
  await register(place, { version, parent, dataset: data.id, algorithm });
  const agents = [version, champion].map((each) => ({
    ...{ name: each, agent: "onnx", model: `models/${each}/onnx`, ...ACTING },
    registered: { name: MODEL, version: each },
  }));
  const chance = of.chance ? [{ name: "chance", agent: "random", system: ACTING.system }] : [];
  place.write(`agents-${version}.json`, JSON.stringify([...agents, ...chance], null, 2));
  const evaluation = await place.json(
    [
      ...[
        "evaluate",
        ...ENV,
        "--tasks",
        "held-out.jsonl",
        "--agents",
        `agents-${version}.json`,
        "--level",
        "0.99",
      ],
      ...["--parallel", "8", "--report", `report-${version}.html`, "--quiet"],
    ],
    { schema: evaluationSchema },
  );
  for (const { agent, metrics } of evaluation.figures)
    say(`evaluate  ${agent.padEnd(8)} success ${share(metrics.success)}`);
  const decision = await place.json(
    ["models", "promote", `${MODEL}/${version}`, "--evaluation", evaluation.id, "--policy", "policy.json"],
    { schema: decisionSchema, codes: [2] },
  );
  say(
    `gate      ${decision.verdict} ${MODEL}/${version}, p = ${pOf(decision)}${decision.reasons.map((why) => `; ${why}`).join("")}`,
  );
  return { version, decision, evaluation };
}

async function register(
  place: Workplace,
  of: {
    readonly version: string;
    readonly parent: string | null;
    readonly dataset: string | null;
    readonly algorithm: string | null;
  },
): Promise<void> {
  const { version, parent, dataset, algorithm } = of;
  await place.gymline([
    ...["models", "register", `${MODEL}/${version}`, "--files", `models/${version}`],
    ...(parent === null ? [] : ["--parent", parent, "--base", `models/${parent}`]),
    ...(dataset === null ? [] : ["--dataset", dataset]),
    ...(algorithm === null ? [] : ["--algorithm", algorithm]),
  ]);
}

async function takeIn(place: Workplace): Promise<void> {
  await place.gymline(["run", "drop", "--no-export", "--quiet"]);
}

const manifestSchema = z.object({ name: z.string(), version: z.string(), rows: z.int() });

/** A dataset version as training names it; all of it is for training, since tasks to evaluate on are others. */
async function exported(
  place: Workplace,
  { name, args }: { readonly name: string; readonly args: readonly string[] },
): Promise<{ readonly id: string; readonly rows: number }> {
  await place.gymline(["export", "--name", name, "--split", "1/0/0", "--jsonl", ...args]);
  const folder = join(place.folder, "out/datasets", name);
  const [version = ""] = readdirSync(folder);
  const manifest = manifestSchema.parse(
    JSON.parse(readFileSync(join(folder, version, "manifest.json"), "utf8")),
  );
  return { id: `${name}/${manifest.version}`, rows: manifest.rows };
}

function promoted(round: Round | undefined): boolean {
  return round?.decision.verdict === "promote";
}

function pOf({ conditions }: Decision): string {
  const metric = conditions.find((each) => each.id === "metric");
  const p = metric !== undefined && "test" in metric ? metric.test.p : null;
  return p === null ? "none" : p.toPrecision(2);
}

/** With its interval. */
function share(estimate: Estimate | undefined): string {
  if (estimate === undefined || estimate.value === null) return "unknown";
  const { value, interval } = estimate;
  const digits = (x: number): string => x.toFixed(3);
  if (interval.low === null) return digits(value);
  return `${digits(value)} (${digits(interval.low)} to ${digits(interval.high)})`;
}
