import { z } from "zod";
import { callExtraSchema, gymlineExtraSchema, resultExtraSchema, stepExtraSchema } from "./gymline-extra.ts";

/**
 * The canonical trajectory: ATIF v1.8 (Harbor's Agent Trajectory Interchange Format) with Gymline's own
 * facts under `extra.gymline`. Every document that passes here is valid under Harbor's pydantic models.
 */

export const ATIF_VERSION = "ATIF-v1.8";

/** Python's `datetime.fromisoformat`, which the format's own validator uses, takes no more than this. */
const isoTimestamp = z
  .string()
  .regex(
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?)?$/,
    "not an ISO 8601 timestamp",
  )
  .refine((value) => dayExists(value), "no such day in the calendar");

function dayExists(value: string): boolean {
  const day = value.slice(0, 10);
  const parsed = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(day) && !day.startsWith("0000");
}

const extra = z.record(z.string(), z.unknown());

const imageSourceSchema = z.strictObject({
  media_type: z.enum(["image/jpeg", "image/png", "image/gif", "image/webp"]),
  path: z.string(),
});

const audioSourceSchema = z.strictObject({
  media_type: z.enum([
    "audio/wav",
    "audio/mpeg",
    "audio/mp4",
    "audio/aac",
    "audio/ogg",
    "audio/flac",
    "audio/webm",
    "audio/aiff",
  ]),
  path: z.string(),
  duration_sec: z.number().nonnegative().nullish(),
});

export const contentPartSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: z.string(), source: z.null().optional() }),
  z.strictObject({ type: z.literal("image"), source: imageSourceSchema, text: z.null().optional() }),
  z.strictObject({ type: z.literal("audio"), source: audioSourceSchema, text: z.null().optional() }),
]);

const contentSchema = z.union([z.string(), z.array(contentPartSchema)]);

export const toolCallSchema = z.strictObject({
  tool_call_id: z.string(),
  function_name: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  extra: z.looseObject({ gymline: callExtraSchema.optional() }).nullish(),
});

const subagentRefSchema = z
  .strictObject({
    trajectory_id: z.string().nullish(),
    session_id: z.string().nullish(),
    trajectory_path: z.string().nullish(),
    extra: extra.nullish(),
  })
  .refine((ref) => typeof ref.trajectory_id === "string" || typeof ref.trajectory_path === "string", {
    message: "needs trajectory_id or trajectory_path",
  });

export const observationResultSchema = z.strictObject({
  source_call_id: z.string().nullish(),
  content: contentSchema.nullish(),
  subagent_trajectory_ref: z.array(subagentRefSchema).nullish(),
  extra: z.looseObject({ gymline: resultExtraSchema.optional() }).nullish(),
});

export const metricsSchema = z.strictObject({
  prompt_tokens: z.int().nullish(),
  completion_tokens: z.int().nullish(),
  cached_tokens: z.int().nullish(),
  cost_usd: z.number().nullish(),
  prompt_token_ids: z.array(z.int()).nullish(),
  completion_token_ids: z.array(z.int()).nullish(),
  logprobs: z.array(z.number()).nullish(),
  extra: extra.nullish(),
});

const AGENT_ONLY = ["model_name", "reasoning_effort", "reasoning_content", "tool_calls", "metrics"] as const;

export const stepSchema = z
  .strictObject({
    step_id: z.int().min(1),
    timestamp: isoTimestamp.nullish(),
    source: z.enum(["system", "user", "agent"]),
    model_name: z.string().nullish(),
    reasoning_effort: z.union([z.string(), z.number()]).nullish(),
    message: contentSchema,
    reasoning_content: z.string().nullish(),
    tool_calls: z.array(toolCallSchema).nullish(),
    observation: z.strictObject({ results: z.array(observationResultSchema) }).nullish(),
    metrics: metricsSchema.nullish(),
    is_copied_context: z.boolean().nullish(),
    llm_call_count: z.int().nonnegative().nullish(),
    extra: z.looseObject({ gymline: stepExtraSchema.optional() }).nullish(),
  })
  .superRefine((step, context) => {
    if (step.source !== "agent") {
      for (const field of AGENT_ONLY) {
        if (step[field] !== undefined && step[field] !== null) {
          context.addIssue({ code: "custom", path: [field], message: `only an agent step has ${field}` });
        }
      }
    } else if (step.llm_call_count === 0 && (step.metrics ?? step.reasoning_content ?? null) !== null) {
      context.addIssue({
        code: "custom",
        path: ["llm_call_count"],
        message: "a step without a model call has neither metrics nor reasoning_content",
      });
    }
    const ids = new Set((step.tool_calls ?? []).map((call) => call.tool_call_id));
    for (const [index, result] of (step.observation?.results ?? []).entries()) {
      if (typeof result.source_call_id === "string" && !ids.has(result.source_call_id)) {
        context.addIssue({
          code: "custom",
          path: ["observation", "results", index, "source_call_id"],
          message: "names no tool call of this step",
        });
      }
    }
  });

const agentSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  model_name: z.string().nullish(),
  tool_definitions: z.array(extra).nullish(),
  extra: extra.nullish(),
});

const finalMetricsSchema = z.strictObject({
  total_prompt_tokens: z.int().nullish(),
  total_completion_tokens: z.int().nullish(),
  total_cached_tokens: z.int().nullish(),
  total_cost_usd: z.number().nullish(),
  total_steps: z.int().nonnegative().nullish(),
  extra: extra.nullish(),
});

const atifFields = {
  session_id: z.string().nullish(),
  trajectory_id: z.string().nullish(),
  agent: agentSchema,
  steps: z
    .array(stepSchema)
    .min(1)
    .superRefine((steps, context) => {
      const wrong = steps.findIndex((step, index) => step.step_id !== index + 1);
      if (wrong >= 0) {
        context.addIssue({
          code: "custom",
          path: [wrong, "step_id"],
          message: `expected ${wrong + 1}: step ids count from 1 without gaps`,
        });
      }
    }),
  notes: z.string().nullish(),
  final_metrics: finalMetricsSchema.nullish(),
  continued_trajectory_ref: z.string().nullish(),
};

const atifFlat = z.strictObject({
  schema_version: z.string().regex(/^ATIF-v1\.[0-8]$/),
  ...atifFields,
  extra: extra.nullish(),
});

export interface AtifTrajectory extends z.infer<typeof atifFlat> {
  subagent_trajectories?: AtifTrajectory[] | null | undefined;
}

const atifObject: z.ZodType<AtifTrajectory> = atifFlat.extend({
  subagent_trajectories: z.lazy(() => z.array(atifObject)).nullish(),
});

interface Embedding {
  readonly subagent_trajectories?: readonly AtifTrajectory[] | null | undefined;
}

/** Embedded trajectories are resolved by their ids, so each needs one of its own. */
function checkEmbedded(document: Embedding, context: z.core.$RefinementCtx, path: (string | number)[]): void {
  const seen = new Set<string>();
  for (const [index, sub] of (document.subagent_trajectories ?? []).entries()) {
    const place = [...path, "subagent_trajectories", index];
    const id = sub.trajectory_id;
    if (typeof id !== "string" || seen.has(id)) {
      context.addIssue({
        code: "custom",
        path: [...place, "trajectory_id"],
        message: "must be there and unique among the embedded trajectories",
        input: id,
      });
    } else {
      seen.add(id);
    }
    checkEmbedded(sub, context, place);
  }
}

/** Any ATIF document of versions 1.0 to 1.8, as other tools write it. */
export const atifSchema = atifObject.superRefine((document, context) => checkEmbedded(document, context, []));

/** Gymline's stored document. */
export const trajectorySchema = z
  .strictObject({
    schema_version: z.literal(ATIF_VERSION),
    ...atifFields,
    extra: z.looseObject({ gymline: gymlineExtraSchema }),
    subagent_trajectories: z.array(atifObject).nullish(),
  })
  .superRefine((document, context) => checkEmbedded(document, context, []));

export type Trajectory = z.infer<typeof trajectorySchema>;
export type Step = z.infer<typeof stepSchema>;
export type ToolCall = z.infer<typeof toolCallSchema>;
export type ObservationResult = z.infer<typeof observationResultSchema>;
export type ContentPart = z.infer<typeof contentPartSchema>;
export type Content = z.infer<typeof contentSchema>;
export type Metrics = z.infer<typeof metricsSchema>;
