import { z } from "zod";
import { rubricIds } from "../reward/rubric-ids.ts";

/** What a tool does to the world, in one word. */
const toolCategorySchema = z.enum(["read", "write", "search", "execute", "navigate", "submit", "think"]);
export type ToolCategory = z.infer<typeof toolCategorySchema>;

/**
 * What a call changes: nothing, its own target, or anything at all. Without it the category decides
 * (read, search, think, submit: none; write: target; navigate: world; execute: by its command).
 */
const toolEffectSchema = z.enum(["none", "target", "world"]);

const toolSpecSchema = z
  .object({
    name: z.string().min(1),
    category: toolCategorySchema,
    stateful_key: z.string().default(""),
    aliases: z.array(z.string().min(1)).default([]),
    effect: toolEffectSchema.optional(),
    repeatable: z.boolean().default(false),
  })
  .transform(({ stateful_key, effect, ...rest }) => ({
    ...rest,
    /** Name of the parameter that says which thing the tool works on; "" when there is none. */
    statefulKey: stateful_key,
    ...(effect === undefined ? {} : { effect }),
  }));
/** One tool of a domain. `repeatable` tools (scroll, wait, screenshot) may be called again for nothing. */
export type ToolSpec = Readonly<z.infer<typeof toolSpecSchema>>;

const outcomeSpecSchema = z
  .object({
    success_field: z.string().default("success"),
    score_field: z.string().default(""),
    total_field: z.string().default(""),
    failed_field: z.string().default(""),
    partial_credit_field: z.string().default("partial_credit"),
  })
  .transform((spec) => ({
    successField: spec.success_field,
    scoreField: spec.score_field,
    totalField: spec.total_field,
    /** Counts what is missing from the score; used for the total where no total is given. */
    failedField: spec.failed_field,
    partialCreditField: spec.partial_credit_field,
  }));
/** Which outcome fields carry the result. An empty name switches a field off. */
export type OutcomeSpec = Readonly<z.infer<typeof outcomeSpecSchema>>;

const taskFieldsSchema = z.union([
  z.record(z.string(), z.string()).transform((notes) => Object.keys(notes)),
  z.array(z.string()),
]);

const rubricWeightsSchema = z.record(z.string(), z.number().min(0).max(1));

/** A domain profile in its JSON form (snake_case), turned into the camelCase form the code works with. */
export const domainProfileSchema = z
  .object({
    domain: z.string().min(1),
    display_name: z.string().default(""),
    tools: z.array(toolSpecSchema).default([]),
    outcome_spec: outcomeSpecSchema.prefault({}),
    task_fields: taskFieldsSchema.default([]),
    default_rubric_weights: rubricWeightsSchema.default({}),
  })
  .transform((profile) => ({
    domain: profile.domain,
    displayName: profile.display_name === "" ? profile.domain : profile.display_name,
    tools: profile.tools,
    outcomeSpec: profile.outcome_spec,
    taskFields: profile.task_fields,
    /** Weights that replace or extend those of the domain's rubric set; {} keeps the set as it is. */
    rubricWeights: profile.default_rubric_weights,
  }));

type Parsed = z.infer<typeof domainProfileSchema>;
/** Which tools a domain has, where its result stands and what its rubrics weigh. */
export type DomainProfile = Readonly<
  Omit<Parsed, "tools" | "taskFields" | "rubricWeights"> & {
    readonly tools: readonly ToolSpec[];
    readonly taskFields: readonly string[];
    readonly rubricWeights: Readonly<Record<string, number>>;
  }
>;

/** A domain profile could not be read. `source` names the file or place it came from. */
export class DomainProfileError extends Error {
  readonly source: string;
  constructor(source: string, reason: string, cause?: unknown) {
    super(`Domain profile ${source}: ${reason}`, { cause });
    this.name = "DomainProfileError";
    this.source = source;
  }
}

/**
 * Reads a custom domain profile.
 * @param json the profile as JSON text or as an already parsed value
 * @param sourceName the file or place named in errors
 * @param rubrics ids that weights may name; without it, those built in
 * @throws DomainProfileError naming the source, the field and what is expected there
 */
export function parseDomainProfile(
  json: unknown,
  sourceName: string,
  rubrics: readonly string[] = rubricIds,
): DomainProfile {
  let value: unknown = json;
  if (typeof json === "string") {
    try {
      value = JSON.parse(json);
    } catch (cause) {
      throw new DomainProfileError(sourceName, "not valid JSON; correct the file and try again", cause);
    }
  }
  const result = domainProfileSchema.safeParse(value);
  if (result.success) {
    const unknown = Object.keys(result.data.rubricWeights).find((id) => !rubrics.includes(id));
    if (unknown === undefined) return result.data;
    const known = `no such rubric; known rubrics are ${rubrics.join(", ")}`;
    throw new DomainProfileError(
      sourceName,
      `default_rubric_weights.${unknown}: ${known}. Correct this field.`,
    );
  }
  const reasons = result.error.issues.slice(0, 5).map((issue) => {
    const place = issue.path.length === 0 ? "top level" : issue.path.map(String).join(".");
    return `${place}: ${issue.message}`;
  });
  throw new DomainProfileError(sourceName, `${reasons.join("; ")}. Correct these fields.`, result.error);
}
