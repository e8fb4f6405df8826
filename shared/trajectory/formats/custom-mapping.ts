import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { z } from "zod";
import { parsePath } from "./custom-path.ts";

export const MAPPING_SCHEMA = "gymline.mapping.v1";

const path = z
  .string()
  .refine((text) => parsePath(text) !== undefined, "not a path such as task.id or steps[*].tool");
const listPath = path.refine(
  (text) => text.includes("[*]"),
  'must lead to the elements of a list, so it needs "[*]"',
);
/** Where a text comes from: a path, or the text itself. */
const value = z.union([path, z.strictObject({ value: z.string() })]);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const condition = z
  .strictObject({
    path,
    exists: z.boolean().optional(),
    equals: scalar.optional(),
    one_of: z.array(scalar).min(1).optional(),
  })
  .refine(
    (rule) => [rule.exists, rule.equals, rule.one_of].filter((part) => part !== undefined).length === 1,
    'needs exactly one of "exists", "equals" and "one_of"',
  );

const elementFields = {
  /** The elements of the list of messages or steps. */
  path: listPath,
  /** Only the elements for which all of these hold; the others are reported as dropped. */
  where: z.array(condition).optional(),
  thought: path.optional(),
  reasoning: path.optional(),
  timestamp: path.optional(),
  model: path.optional(),
  exit_code: path.optional(),
  error: path.optional(),
  call_id: path.optional(),
  prompt_tokens: path.optional(),
  completion_tokens: path.optional(),
};

/** One element is one message; results of tools are messages too. */
const messagesStyle = z.strictObject({
  style: z.literal("messages"),
  ...elementFields,
  role: path,
  /** What each role in the log is; every role that occurs must be here. */
  roles: z.record(z.string(), z.enum(["system", "user", "agent", "result", "skip"])),
  content: path,
  tool_name: path.optional(),
  /** Tool calls of an agent message; paths from the call. */
  calls: z.strictObject({ path: listPath, id: path.optional(), name: path, arguments: path }).optional(),
});

/** One element is one agent step with its call and what came back. */
const stepsStyle = z.strictObject({
  style: z.literal("steps"),
  ...elementFields,
  message: path.optional(),
  tool: path,
  /** The arguments, or a path for each of them. */
  params: z.union([path, z.record(z.string(), path)]).optional(),
  output: path.optional(),
});

export const customMappingSchema = z.strictObject({
  schema: z.literal(MAPPING_SCHEMA),
  name: z
    .string()
    .max(64)
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, "must be kebab-case, such as my-agent"),
  description: z.string().optional(),
  /** Every line (or element of the top-level list) is one event, all of them together one trajectory. */
  parts: z.boolean().default(false),
  /** A record (with `parts`: every event) belongs to this format where all of these hold. */
  match: z.array(condition).min(1),
  content: z.discriminatedUnion("style", [messagesStyle, stepsStyle]),
  /** Messages before the first step, for logs that keep them elsewhere. */
  opening: z.strictObject({ system: value.optional(), user: value.optional() }).optional(),
  task: z
    .strictObject({
      id: value.optional(),
      description: value.optional(),
      repo: value.optional(),
      base_commit: value.optional(),
      test_command: value.optional(),
    })
    .optional(),
  outcome: z
    .strictObject({
      /** Without lists: true, false, 1, 0 and the usual words. With one list, every other value is the opposite. */
      success: z
        .strictObject({ path, true: z.array(scalar).optional(), false: z.array(scalar).optional() })
        .optional(),
      score: path.optional(),
      exit_status: path.optional(),
      feedback: path.optional(),
      tests_passed: path.optional(),
      tests_failed: path.optional(),
      tests_total: path.optional(),
    })
    .optional(),
  agent: z
    .strictObject({
      name: value.optional(),
      version: value.optional(),
      model: value.optional(),
      /** A list of tool definitions. */
      tools: path.optional(),
    })
    .optional(),
  session: value.optional(),
  domain: value.optional(),
  started_at: value.optional(),
});

export type CustomMapping = z.infer<typeof customMappingSchema>;
export type MappingValue = z.infer<typeof value>;
export type MappingCondition = z.infer<typeof condition>;
export type MessagesStyle = z.infer<typeof messagesStyle>;
export type StepsStyle = z.infer<typeof stepsStyle>;

/** A mapping file says something that no mapping can say. */
export class MappingError extends Error {
  override readonly name = "MappingError";
  /** The mapping file. */
  readonly source: string;
  /** JSON path in the mapping file. */
  readonly jsonPath: string;

  constructor(place: { readonly source: string; readonly jsonPath: string; readonly reason: string }) {
    super(
      `${place.source}: ${place.jsonPath}: ${place.reason}; see docs/CUSTOM-FORMAT.md for what a mapping can say`,
    );
    this.source = place.source;
    this.jsonPath = place.jsonPath;
  }
}

/**
 * Checks a mapping file. `sourceName`: its name, for messages.
 * @throws MappingError with the first place that is wrong.
 */
export function parseCustomMapping(json: unknown, sourceName: string): CustomMapping {
  const result = customMappingSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new MappingError({
    source: sourceName,
    jsonPath: z.core
      .toDotPath(issue?.path ?? [])
      .replace(/^(?=[^[])/, ".")
      .replace(/^/, "$"),
    reason: issue === undefined ? "not a mapping" : lowerFirst(issue.message),
  });
}

function lowerFirst(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1);
}

/** SHA-256 (hex) over the canonical JSON of a mapping: documents made with another mapping can be told apart. */
export function mappingHash(mapping: CustomMapping): string {
  return createHash("sha256")
    .update(canonicalize(mapping) ?? "")
    .digest("hex");
}
