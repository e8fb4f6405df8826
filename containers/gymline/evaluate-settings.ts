import { dirname, resolve } from "node:path";
import { z } from "zod";
import {
  correctionSchema,
  type EvaluatedAgent,
  evaluatedAgentSchema,
  evaluationMetricSchema,
  pairedTestSchema,
} from "../../shared/contracts/evaluation.ts";
import type { ComparisonSettings } from "../../shared/evaluation/settings.ts";
import type { ShapingOptions } from "./collect-settings.ts";
import { hashOfModel, hashOfPath } from "./hash-of-path.ts";
import { numeric } from "./judge-settings.ts";
import { seedOf } from "./numbers.ts";
import { jsonOf, textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

export interface EvaluateCommandOptions extends Omit<ShapingOptions, "agent" | "project"> {
  readonly agent?: readonly string[];
  /** File that lists agents. */
  readonly agents?: string;
  readonly parallel?: string;
  readonly maxRunCost?: string;
  readonly maxFailures?: string;
  readonly out: string;
  readonly rollouts?: string;
  readonly label?: string;
  readonly metric: string;
  readonly level: string;
  readonly correction: string;
  readonly test: string;
  readonly maxFailed: string;
  readonly report?: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly quiet?: boolean;
}

/** One agent, and the options that are its own. */
export interface AgentChoice extends EvaluatedAgent {
  readonly options: ShapingOptions;
}

const text = z.string().min(1);

/** What an agent of a file may say of itself beside its name; as the options of the same names. */
const ownSchema = z.strictObject({
  agent: text,
  model: text.exactOptional(),
  baseUrl: text.exactOptional(),
  apiKeyVariable: text.exactOptional(),
  temperature: z.number().nonnegative().exactOptional(),
  answerTokens: z.int().positive().exactOptional(),
  thinking: z.union([z.literal("adaptive"), z.int()]).exactOptional(),
  context: z.int().positive().exactOptional(),
  onOverflow: z.enum(["stop", "forget"]).exactOptional(),
  tokens: z.boolean().exactOptional(),
  system: text.exactOptional(),
});

const agentsFileSchema = z
  .array(
    z.strictObject({
      name: text,
      /** A model of the registry that acts in it. */
      registered: evaluatedAgentSchema.shape.model.unwrap().exactOptional(),
      ...ownSchema.shape,
    }),
  )
  .min(1);

/** The agents of `--agent` and of `--agents`. @throws UsageError */
export function agentsOf(options: EvaluateCommandOptions): readonly AgentChoice[] {
  const agents = [
    ...(options.agent ?? []).map((given) => agentOf(given, options)),
    ...listed(options.agents),
  ];
  if (agents.length === 0) {
    throw new UsageError("evaluate needs --agent or --agents; gymline evaluate --help has examples");
  }
  for (const { name } of agents) {
    if (agents.filter((other) => other.name === name).length < 2) continue;
    throw new UsageError(
      `two agents are called "${name}": give each a name of its own, as --agent <name>=<agent>`,
    );
  }
  return agents;
}

const NAMED = /^([\w.-]+)=(.+)$/;
const OWN = Object.keys(ownSchema.shape) as (keyof z.infer<typeof ownSchema>)[];

/** `<agent>` or `<name>=<agent>`. */
function agentOf(given: string, options: EvaluateCommandOptions): AgentChoice {
  const [, called, agent = given] = NAMED.exec(given) ?? [];
  const own = OWN.flatMap((name) => {
    const value = name === "agent" ? agent : options[name];
    return value === undefined ? [] : [[name, value]];
  });
  const isModel = agent === "anthropic" || agent === "openai-compatible";
  const name = called ?? (isModel && options.model !== undefined ? options.model : agent);
  return choiceOf({ name, model: null, own: Object.fromEntries(own), common: options });
}

function listed(file: string | undefined): readonly AgentChoice[] {
  if (file === undefined) return [];
  const read = agentsFileSchema.safeParse(jsonOf(textOfFile(file), file));
  if (!read.success) {
    throw new UsageError(
      `${file} lists no agents: ${z.prettifyError(read.error)}\ngive [{"name": …, "agent": …, "model": …}, …]`,
      { cause: read.error },
    );
  }
  const folder = dirname(resolve(file));
  return read.data.map(({ name, registered, ...given }) => {
    const own = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, value === true ? value : String(value)]),
    );
    const { agent, model, system } = given;
    const at = agent.indexOf(":");
    return choiceOf({
      name,
      model: registered ?? null,
      own: {
        ...own,
        ...(at < 0 ? {} : { agent: `${agent.slice(0, at)}:${resolve(folder, agent.slice(at + 1))}` }),
        ...(agent === "onnx" && model !== undefined ? { model: resolve(folder, model) } : {}),
        ...(system === undefined ? {} : { system: resolve(folder, system) }),
      },
      common: {},
    });
  });
}

function choiceOf(of: {
  readonly name: string;
  readonly model: EvaluatedAgent["model"];
  readonly own: ShapingOptions;
  readonly common: object;
}): AgentChoice {
  const { name, model, own } = of;
  return { name, model, configuration: configurationOf(own), options: own };
}

/** What shapes how it acts: paths give way to hashes of what they hold, secrets and where they are to nothing. */
function configurationOf(own: ShapingOptions): EvaluatedAgent["configuration"] {
  const { agent = "", model, system, baseUrl, apiKeyVariable: _, ...rest } = own;
  const at = agent.indexOf(":");
  const path = at < 0 ? undefined : agent.slice(at + 1);
  const server = baseUrl === undefined || !URL.canParse(baseUrl) ? undefined : new URL(baseUrl);
  return {
    agent: at < 0 ? agent : agent.slice(0, at),
    ...(path === undefined ? {} : { agent_sha256: hashOfPath(path) }),
    // The same folder may hold another model tomorrow.
    ...(model === undefined ? {} : agent === "onnx" ? { model_sha256: hashOfModel(model) } : { model }),
    ...Object.fromEntries(Object.entries(rest)),
    ...(server === undefined ? {} : { baseUrl: `${server.origin}${server.pathname}` }),
    ...(system === undefined ? {} : { system_sha256: hashOfPath(system) }),
  };
}

/** The settings that were given. @throws UsageError */
export function comparisonSettings(options: {
  readonly metric?: string;
  readonly level?: string;
  readonly correction?: string;
  readonly test?: string;
  readonly maxFailed?: string;
}): ComparisonSettings {
  const { metric, correction, test } = options;
  const level = numeric("--level", options.level);
  if (level !== undefined && !(level > 0.5 && level < 1)) {
    throw new UsageError(`--level takes a number between 0.5 and 1, not "${options.level}"`);
  }
  const maxFailedShare = numeric("--max-failed", options.maxFailed);
  if (maxFailedShare !== undefined && maxFailedShare > 1) {
    throw new UsageError(`--max-failed takes a share from 0 to 1, not "${options.maxFailed}"`);
  }
  return {
    ...(metric === undefined
      ? {}
      : { metric: oneOf("--metric", { schema: evaluationMetricSchema, given: metric }) }),
    ...(correction === undefined
      ? {}
      : { correction: oneOf("--correction", { schema: correctionSchema, given: correction }) }),
    ...(test === undefined ? {} : { test: oneOf("--test", { schema: pairedTestSchema, given: test }) }),
    ...(level === undefined ? {} : { level }),
    ...(maxFailedShare === undefined ? {} : { maxFailedShare }),
  };
}

function oneOf<Names extends Readonly<Record<string, string>>>(
  option: string,
  { schema, given }: { readonly schema: z.ZodEnum<Names>; readonly given: string },
): Names[keyof Names] {
  const read = schema.safeParse(given.replaceAll("-", "_"));
  if (read.success) return read.data;
  const names = schema.options.map((name) => String(name).replaceAll("_", "-"));
  throw new UsageError(`${option} takes ${names.join(", ")}, not "${given}"`);
}

/** The base of the episodes' seeds: 42 unless given. @throws UsageError */
export function episodesSeed(given: string | undefined): number {
  const seed = given === undefined ? 42 : seedOf(given);
  if (seed < 0) throw new UsageError(`--seed takes a whole number from 0 on, not "${given}"`);
  return seed;
}
