import { createHash } from "node:crypto";
import { z } from "zod";

const cacheControl = z
  .strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() })
  .nullish();
const text = z.strictObject({
  type: z.literal("text"),
  text: z.string(),
  cache_control: cacheControl,
  citations: z.unknown().optional(),
});
const image = z.strictObject({
  type: z.literal("image"),
  source: z.record(z.string(), z.unknown()),
  cache_control: cacheControl,
});
const toolUse = z.strictObject({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  cache_control: cacheControl,
});
const toolResult = z.strictObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(text)]).optional(),
  is_error: z.boolean().optional(),
  cache_control: cacheControl,
});
// Thinking takes no breakpoint of its own.
const thinking = z.strictObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() });
const redacted = z.strictObject({ type: z.literal("redacted_thinking"), data: z.string() });
const block = z.discriminatedUnion("type", [text, image, toolUse, toolResult, thinking, redacted]);
const name = z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/);

const tool = z.strictObject({
  type: z.literal("custom").nullish(),
  name,
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal("object") }),
  strict: z.boolean().optional(),
  cache_control: cacheControl,
});
const parallel = { disable_parallel_tool_use: z.boolean().optional() };

/** Body of `POST /v1/messages`: what is not named here the provider refuses. */
export const messagesRequest = z.strictObject({
  model: z.string().min(1),
  max_tokens: z.int().min(1),
  messages: z.array(
    z.strictObject({
      role: z.enum(["user", "assistant"]),
      content: z.union([z.string(), z.array(block)]),
    }),
  ),
  system: z.union([z.string(), z.array(text)]).optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().optional(),
  top_k: z.int().optional(),
  stop_sequences: z.array(z.string()).optional(),
  stream: z.literal(false).optional(),
  metadata: z.strictObject({ user_id: z.string().nullish() }).optional(),
  service_tier: z.enum(["auto", "standard_only"]).optional(),
  inference_geo: z.string().nullish(),
  thinking: z.looseObject({ type: z.string() }).optional(),
  cache_control: cacheControl,
  tools: z.array(tool).optional(),
  tool_choice: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("auto"), ...parallel }),
      z.strictObject({ type: z.literal("any"), ...parallel }),
      z.strictObject({ type: z.literal("tool"), name, ...parallel }),
      z.strictObject({ type: z.literal("none") }),
    ])
    .optional(),
  output_config: z
    .strictObject({
      effort: z.enum(["low", "medium", "high", "xhigh", "max"]).nullish(),
      format: z
        .strictObject({ type: z.literal("json_schema"), schema: z.record(z.string(), z.unknown()) })
        .nullish(),
    })
    .optional(),
});
export type MessagesRequest = z.infer<typeof messagesRequest>;
type Block = z.infer<typeof block>;

/** The provider refuses thinking that comes back changed. */
export function signatureOf(thinking: string): string {
  return createHash("sha256").update(`scripted ${thinking}`).digest("base64");
}

/** A request that the provider answers with status 400. */
export class InvalidRequest extends Error {
  override readonly name = "InvalidRequest";
}

/** @throws InvalidRequest with the words of the provider */
export function parseMessagesRequest(body: unknown): MessagesRequest {
  const request = parsed(messagesRequest, body);
  if (request.messages.length === 0) throw new InvalidRequest("messages: at least one message is required");
  if (request.messages[0]?.role !== "user") {
    throw new InvalidRequest('messages: first message must use the "user" role');
  }
  for (const { text: content, marked, place } of blocksOf(request)) {
    if (content.trim() !== "") continue;
    const why = marked
      ? "cache_control cannot be set for empty text blocks"
      : "text blocks must be non-empty";
    throw new InvalidRequest(`${place}: ${why}`);
  }
  const last = request.messages.at(-1);
  if (last?.role === "assistant" && /\s$/.test(textOf(last.content))) {
    throw new InvalidRequest("messages: final assistant content cannot end with trailing whitespace");
  }
  checkCalls(request.messages);
  const marks = blocksOf(request).filter(({ marked }) => marked).length + (request.cache_control ? 1 : 0);
  if (marks > 4) {
    throw new InvalidRequest(`A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`);
  }
  const choice = request.tool_choice;
  if (choice?.type === "tool" && !request.tools?.some((each) => each.name === choice.name)) {
    throw new InvalidRequest(`tool_choice: Tool '${choice.name}' not found in provided tools`);
  }
  const format = request.output_config?.format;
  if (format) checkSchema(format.schema, "output_config.format.schema");
  return request;
}

/** All that is read before the answer, in the order in which it is cached. */
export function blocksOf(
  request: MessagesRequest,
): readonly { readonly text: string; readonly marked: boolean; readonly place: string }[] {
  const system =
    typeof request.system === "string" ? [{ type: "text" as const, text: request.system }] : request.system;
  const content = (blocks: string | readonly Block[]): readonly Block[] =>
    typeof blocks === "string" ? [{ type: "text", text: blocks }] : blocks;
  return [
    ...(request.tools ?? []).map((each, index) => ({
      text: JSON.stringify({ ...each, cache_control: null }),
      marked: Boolean(each.cache_control),
      place: `tools.${index}`,
    })),
    ...(system ?? []).map((each, index) => ({ ...entry(each), place: `system.${index}` })),
    ...request.messages.flatMap((message, turn) =>
      content(message.content).map((each, index) => ({
        ...entry(each),
        place: `messages.${turn}.content.${index}`,
      })),
    ),
  ];
}

/** Each call has its result at the start of the next message, and each result its call. @throws InvalidRequest */
function checkCalls(messages: MessagesRequest["messages"]): void {
  const blocks = messages.map(({ content }) => (typeof content === "string" ? [] : content));
  for (const [turn, all] of blocks.entries()) {
    const calls = all.flatMap((each) => (each.type === "tool_use" ? [each.id] : []));
    const next = blocks[turn + 1] ?? [];
    const others = next.findIndex(({ type }) => type !== "tool_result");
    const answered = next
      .slice(0, others < 0 ? next.length : others)
      .flatMap((each) => (each.type === "tool_result" ? [each.tool_use_id] : []));
    const open = calls.find((id) => !answered.includes(id));
    if (open !== undefined) {
      throw new InvalidRequest(
        `messages.${turn}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
    }
    const stray = answered.find((id) => !calls.includes(id));
    if (stray !== undefined) {
      throw new InvalidRequest(
        `messages.${turn + 1}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    }
    for (const [index, each] of all.entries()) {
      if (each.type !== "thinking" || each.signature === signatureOf(each.thinking)) continue;
      throw new InvalidRequest(
        `messages.${turn}.content.${index}: Invalid \`signature\` in \`thinking\` block`,
      );
    }
  }
}

export function textOf(content: string | readonly Block[] | undefined): string {
  if (content === undefined || typeof content === "string") return content ?? "";
  return content.map((each) => (each.type === "text" ? each.text : "")).join("\n");
}

function entry(each: Block): { readonly text: string; readonly marked: boolean } {
  const marked = "cache_control" in each && Boolean(each.cache_control);
  // A mark is no part of what is cached.
  return {
    text: each.type === "text" ? each.text : JSON.stringify({ ...each, cache_control: null }),
    marked,
  };
}

/** @throws InvalidRequest which names the first fault as the provider does */
export function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw new InvalidRequest("invalid");
  throw new InvalidRequest(wording(issue));
}

function wording(issue: z.core.$ZodIssue): string {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    return `${[...issue.path, issue.keys[0]].join(".")}: Extra inputs are not permitted`;
  }
  if (issue.code === "invalid_type" && issue.input === undefined) return `${path}: Field required`;
  if (issue.code === "invalid_format" && issue.format === "regex") {
    return `${path}: String should match pattern '${String(issue.pattern).slice(1, -1)}'`;
  }
  return `${path}: ${issue.message}`;
}

const UNSUPPORTED = [
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  ...["minLength", "maxLength", "pattern", "maxItems", "uniqueItems"],
];

/** Constrained answers know a part of JSON Schema only. @throws InvalidRequest */
function checkSchema(schema: unknown, place: string): void {
  if (Array.isArray(schema)) {
    for (const each of schema) checkSchema(each, place);
    return;
  }
  if (typeof schema !== "object" || schema === null) return;
  const entries = new Map(Object.entries(schema));
  const type = entries.get("type");
  if (type === "object" && entries.get("additionalProperties") !== false) {
    throw new InvalidRequest(
      `${place}: For 'object' type, 'additionalProperties' must be explicitly set to false`,
    );
  }
  const unsupported = UNSUPPORTED.filter((key) => typeof type === "string" && entries.has(key));
  if (unsupported.length > 0) {
    throw new InvalidRequest(
      `${place}: For '${type}' type, properties ${unsupported.join(", ")} are not supported`,
    );
  }
  for (const key of ["properties", "$defs"]) {
    const inside = entries.get(key);
    if (typeof inside === "object" && inside !== null) {
      for (const each of Object.values(inside)) checkSchema(each, place);
    }
  }
  for (const key of ["items", "anyOf", "allOf"]) checkSchema(entries.get(key), place);
}
