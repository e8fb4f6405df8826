import { z } from "zod";
import { RunFolderError } from "../../shared/adapters/local/episode-folder.ts";
import { numeric, whole } from "./judge-settings.ts";
import { seedOf } from "./numbers.ts";
import { UsageError } from "./usage-error.ts";

const text = z.string().exactOptional();

/** Options that shape the episodes of a run; they are kept with it, and a run that goes on has the same. */
const shapingSchema = z.strictObject({
  env: text,
  envOptions: text,
  envModule: z.array(z.string()).exactOptional(),
  agent: text,
  model: text,
  baseUrl: text,
  apiKeyVariable: text,
  tasks: text,
  ids: text,
  domain: text,
  difficulty: text,
  language: text,
  sample: text,
  limit: text,
  n: text,
  seed: text,
  maxSteps: text,
  timeout: text,
  maxCost: text,
  temperature: text,
  topP: text,
  topK: text,
  precision: text,
  toolSyntax: text,
  answerTokens: text,
  thinking: text,
  context: text,
  onOverflow: text,
  tokens: z.boolean().exactOptional(),
  system: text,
  config: text,
  project: text,
  repos: text,
  backend: text,
});
export type ShapingOptions = Readonly<z.infer<typeof shapingSchema>>;

/** `run.json` of a run. */
const runSettingsSchema = z.strictObject({
  schema: z.literal("gymline.collect-run.v1"),
  run: z.string(),
  /** Where its logs go, below the drop folder. */
  folder: z.string(),
  created_at: z.iso.datetime(),
  options: shapingSchema,
  seed: z.int(),
  /** SHA-256 of the tasks that were chosen. */
  tasks_hash: z.string(),
  /** SHA-256 of a model of one's own, whose folder may hold another one tomorrow. */
  model_sha256: z.string().exactOptional(),
});
export type RunSettings = Readonly<z.infer<typeof runSettingsSchema>>;

export interface CollectCommandOptions extends ShapingOptions {
  readonly parallel?: string;
  readonly out: string;
  readonly run?: string;
  readonly resume?: string;
  readonly maxRunCost?: string;
  readonly maxFailures?: string;
  readonly deployment?: string;
  readonly bucket?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function parseRunSettings(value: unknown, run: string): RunSettings {
  const read = runSettingsSchema.safeParse(value);
  if (read.success) return read.data;
  throw new RunFolderError(`The settings of the run ${run} are not what they should be; begin a new run`, {
    cause: read.error,
  });
}

/** Of all options those that shape episodes, as far as they were given. */
export function shapingOf(options: CollectCommandOptions): ShapingOptions {
  const names = Object.keys(shapingSchema.shape) as (keyof ShapingOptions)[];
  const given = names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]));
  return shapingSchema.parse(Object.fromEntries(given));
}

/** @throws UsageError where what was given differs from what the run began with */
export function checkSameShape(
  given: ShapingOptions,
  { options, run }: Pick<RunSettings, "options" | "run">,
): void {
  for (const [name, value] of Object.entries(given)) {
    const before = options[name as keyof ShapingOptions];
    if (JSON.stringify(before) === JSON.stringify(value)) continue;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(
      `the run ${run} began with ${before === undefined ? "no" : "another"} ${flag}: leave it out, or begin a new run`,
    );
  }
}

/** Where a run's logs go below the drop folder; top folders there are project labels. @throws UsageError */
export function folderOf(run: string, project: string | undefined): string {
  if (project === undefined) return run;
  if (/^[a-z0-9_][\w.-]*$/i.test(project)) return `${project}/${run}`;
  throw new UsageError(`--project "${project}" is no label; give one name, such as team-a`);
}

/** What the options say in numbers. */
export interface CollectLimits {
  readonly attempts: number;
  readonly parallel: number;
  readonly maxTurns: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly maxCostUsd: number | undefined;
  readonly maxRunUsd: number | undefined;
  readonly maxFailures: number | undefined;
}

/** @throws UsageError */
export function limitsOf(
  options: Pick<
    CollectCommandOptions,
    "n" | "parallel" | "maxSteps" | "timeout" | "maxCost" | "maxRunCost" | "maxFailures"
  >,
): CollectLimits {
  const seconds = numeric("--timeout", options.timeout);
  if (seconds === 0) throw new UsageError("--timeout takes seconds above 0");
  return {
    attempts: whole("--n", options.n) ?? 1,
    parallel: whole("--parallel", options.parallel) ?? 1,
    maxTurns: whole("--max-steps", options.maxSteps),
    timeoutMs: seconds === undefined ? undefined : Math.ceil(seconds * 1000),
    maxCostUsd: numeric("--max-cost", options.maxCost),
    maxRunUsd: numeric("--max-run-cost", options.maxRunCost),
    maxFailures: numeric("--max-failures", options.maxFailures),
  };
}

export function listOf(option: string | undefined): readonly string[] | undefined {
  const items = option?.split(",").map((each) => each.trim());
  return items?.filter((each) => each !== "");
}

/** The seed that was given; null: one is to be drawn. */
export function givenSeed({ seed }: ShapingOptions): number | null {
  if (seed === undefined) return null;
  const value = seedOf(seed);
  if (value < 0) throw new UsageError(`--seed takes a whole number from 0 on, not "${seed}"`);
  return value;
}

export function required(name: string, value: string | undefined): string {
  if (value !== undefined && value.trim() !== "") return value;
  throw new UsageError(`--${name} is missing; --help has examples`);
}
