import { z } from "zod";
import { TOOL_SYNTAXES } from "../inference/tool-calls/syntax.ts";
import { priceSchema } from "../judge/config.ts";

const positive = z.int().positive();

/** A model that acts through its provider's own calls of tools. Holds no key: `apiKeyVariable` names where one is. */
const modelAgentSchema = z.strictObject({
  kind: z.literal("model"),
  provider: z.enum(["anthropic", "openai-compatible"]),
  model: z.string().min(1),
  baseUrl: z.string().exactOptional(),
  apiKeyVariable: z.string().exactOptional(),
  temperature: z.number().nonnegative().exactOptional(),
  answerTokens: z.int().nonnegative().exactOptional(),
  contextTokens: z.int().nonnegative().exactOptional(),
  onOverflow: z.enum(["stop", "forget"]).exactOptional(),
  /** Of Anthropic's models. */
  thinking: z
    .union([z.literal("adaptive"), z.strictObject({ budgetTokens: z.int().min(1024) })])
    .exactOptional(),
  /** Asks for exact tokens and their log-probs, as vLLM gives them. */
  tokens: z.boolean().exactOptional(),
  /** System prompt in place of the agent's own. */
  system: z.string().exactOptional(),
});
export type ModelAgentSettings = Readonly<z.infer<typeof modelAgentSchema>>;

/** How a model of one's own writes. What is not given is as its export says. */
export const localModelSchema = z.strictObject({
  precision: z.enum(["fp32", "q4"]).exactOptional(),
  temperature: z.number().nonnegative().exactOptional(),
  topP: z.number().gt(0).max(1).exactOptional(),
  topK: z.int().nonnegative().exactOptional(),
  toolSyntax: z.enum(TOOL_SYNTAXES).exactOptional(),
  answerTokens: z.int().nonnegative().exactOptional(),
  contextTokens: z.int().nonnegative().exactOptional(),
  onOverflow: z.enum(["stop", "forget"]).exactOptional(),
  /** System prompt in place of the agent's own. */
  system: z.string().exactOptional(),
});
export type LocalModelSettings = Readonly<z.infer<typeof localModelSchema>>;

/** Prefix of keys of the store, without what an export keeps below it. */
export const storedModelSchema = z
  .string()
  .regex(
    /^models(?:\/[A-Za-z0-9][\w.-]{0,63}){2,8}$/,
    "give a model of the store, as models/<name>/<version>",
  );

const agentSchema = z.discriminatedUnion("kind", [
  modelAgentSchema,
  /** A model of the store that was exported to ONNX: `onnx/` below `model`. It acts inside the job. */
  z.strictObject({ kind: z.literal("onnx"), model: storedModelSchema, ...localModelSchema.shape }),
  /** `script`: what a file of turns holds (docs/AGENTS.md). */
  z.strictObject({ kind: z.literal("scripted"), script: z.unknown() }),
  /** `bridge`: the name of a built-in one, or what a file that describes one holds. */
  z.strictObject({ kind: z.literal("harness"), bridge: z.unknown(), model: z.string().min(1) }),
]);

/** A name that may stand in a key, a job's name and a label. */
const ROLLOUT_NAME = /^[a-z0-9][a-z0-9_-]{0,79}$/i;

/**
 * What the jobs of one rollout do: each attempts its share of tasks × attempts. It lies in the store at
 * `rollouts/<run>/plan.json` and never changes; a job that is tried again reads it anew.
 */
export const rolloutPlanSchema = z.strictObject({
  schema: z.literal("gymline.rollout-plan.v1"),
  run: z.string().regex(ROLLOUT_NAME),
  /** Where its logs go in the drop bucket: `<project>/rollouts/<run>`. */
  folder: z.string().regex(/^[\w.-]+\/rollouts\/[\w-]+$/),
  createdAt: z.iso.datetime(),
  env: z.strictObject({ id: z.string().min(1), options: z.record(z.string(), z.unknown()) }),
  agent: agentSchema,
  /** JSON Lines in the store, with the hash of its bytes. */
  tasks: z.strictObject({ key: z.string(), count: positive, sha256: z.string() }),
  attempts: positive,
  seed: z.int().nonnegative(),
  /** Jobs that share the episodes; Batch takes 10,000 in one array. */
  shards: positive.max(10_000),
  /** Episodes under way at a time in each job; absent: as many as the job has room for. */
  concurrency: positive.exactOptional(),
  limits: z.strictObject({
    maxSteps: z.int().nonnegative().exactOptional(),
    timeoutMs: positive.exactOptional(),
    maxCostUsd: z.number().nonnegative().exactOptional(),
    /** Of each job. */
    maxRunUsd: z.number().nonnegative().exactOptional(),
    maxFailures: z.number().nonnegative().exactOptional(),
  }),
  backend: z.enum(["docker", "process", "process-unisolated"]),
  /** Where nothing but what became of each episode is wanted: no log of it is dropped. Absent: logs are dropped. */
  logs: z.literal("none").exactOptional(),
  /** US dollars by model, where the built-in list has none. */
  prices: z.record(z.string(), priceSchema).default({}),
});
export type RolloutPlan = Readonly<z.infer<typeof rolloutPlanSchema>>;

/** There is no such rollout, or its plan cannot be used. */
export class RolloutPlanError extends Error {
  override readonly name = "RolloutPlanError";
}

/** @throws RolloutPlanError which names the key */
export function parseRolloutPlan(bytes: Uint8Array, key: string): RolloutPlan {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new RolloutPlanError(`${key} is no JSON; submit the rollout anew`, { cause });
  }
  const read = rolloutPlanSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new RolloutPlanError(
    `${key} is no plan of this version (${issue?.path.join(".") || "$"}: ${issue?.message ?? "not valid"}); submit the rollout anew`,
    { cause: read.error },
  );
}
