import { z } from "zod";
import { cutAt, type Question, tokensOf } from "./asked.ts";
import { InvalidRequest } from "./messages-request.ts";
import type { AnswerReply, ScriptedStop } from "./replies.ts";

const part = z.strictObject({ type: z.literal("text"), text: z.string() });
const schemaName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);

/** Body of `POST /v1/chat/completions`: what is not named here the provider refuses. */
const chatRequest = z.strictObject({
  model: z.string().min(1),
  messages: z
    .array(
      z.strictObject({
        role: z.enum(["system", "developer", "user", "assistant"]),
        content: z.union([z.string(), z.array(part)]),
        name: z.string().optional(),
      }),
    )
    .min(1),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().nullish(),
  n: z.literal(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  stream: z.literal(false).nullish(),
  user: z.string().optional(),
  prompt_cache_key: z.string().nullish(),
  response_format: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("text") }),
      z.strictObject({ type: z.literal("json_object") }),
      z.strictObject({
        type: z.literal("json_schema"),
        json_schema: z.strictObject({
          name: schemaName,
          description: z.string().optional(),
          schema: z.record(z.string(), z.unknown()).optional(),
          strict: z.boolean().nullish(),
        }),
      }),
    ])
    .optional(),
});
export type ChatCompletionRequest = z.infer<typeof chatRequest>;

/** @throws InvalidRequest with the words of the provider */
export function parseChatRequest(body: unknown): ChatCompletionRequest {
  const result = chatRequest.safeParse(body);
  if (!result.success) {
    const issue = result.error.issues[0];
    if (issue?.code === "unrecognized_keys") {
      const place = [...issue.path, issue.keys[0]].join(".");
      throw new InvalidRequest(`Unrecognized request argument supplied: ${place}`);
    }
    throw new InvalidRequest(`Invalid value for '${issue?.path.join(".")}': ${issue?.message}`);
  }
  const request = result.data;
  if (request.max_tokens && request.max_completion_tokens) {
    throw new InvalidRequest(
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
    );
  }
  const format = request.response_format;
  const said = request.messages.map(({ content }) => plain(content)).join("\n");
  if (format?.type === "json_object" && !/json/i.test(said)) {
    throw new InvalidRequest(
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    );
  }
  if (format?.type === "json_schema" && format.json_schema.strict) {
    checkStrict(format.json_schema.schema, format.json_schema.name);
  }
  return request;
}

export function questionOfChat(request: ChatCompletionRequest): Question {
  const format = request.response_format;
  const instructs = (role: string) => role === "system" || role === "developer";
  const turns = request.messages
    .filter(({ role }) => !instructs(role))
    .map(({ role, content }) => ({ role, content: plain(content) }));
  return {
    api: "chat",
    model: request.model,
    system: systemOf(request),
    turns,
    text: turns.at(-1)?.content ?? "",
    schema: (format?.type === "json_schema" ? format.json_schema.schema : undefined) ?? null,
    structured: format === undefined || format.type === "text" ? null : format.type,
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? 4096,
    temperature: request.temperature ?? null,
    customId: null,
  };
}

/** Body of a completion. The system prefix counts as cached when it was seen before. */
export function completionOf(
  request: ChatCompletionRequest,
  reply: AnswerReply,
  options: { readonly id: string; readonly seen: Set<string>; readonly now: number },
): Readonly<Record<string, unknown>> {
  const { text, cut } = cutAt(reply.text, questionOfChat(request).maxTokens);
  const stop: ScriptedStop = cut ? "length" : reply.stop;
  const system = systemOf(request);
  const key = `${request.model}\n${system}`;
  const cached = options.seen.has(key) ? tokensOf(system) : 0;
  options.seen.add(key);
  const whole = tokensOf(request.messages.map(({ content }) => plain(content)).join(""));
  const read = reply.usage.cacheRead ?? cached;
  const input = reply.usage.input ?? whole - cached;
  const output = reply.usage.output ?? tokensOf(text);
  return {
    id: `chatcmpl-${options.id}`,
    object: "chat.completion",
    created: Math.floor(options.now / 1000),
    model: request.model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: stop === "refusal" ? null : text,
          refusal: stop === "refusal" ? text : null,
        },
        logprobs: null,
        finish_reason: FINISHES[stop],
      },
    ],
    usage: {
      prompt_tokens: input + read,
      completion_tokens: output,
      total_tokens: input + read + output,
      prompt_tokens_details: { cached_tokens: read },
    },
  };
}

const FINISHES: Readonly<Record<ScriptedStop, string>> = {
  end: "stop",
  stop_sequence: "stop",
  tool_use: "tool_calls",
  length: "length",
  refusal: "stop",
  filtered: "content_filter",
  pause: "pause",
};

function systemOf(request: ChatCompletionRequest): string {
  return request.messages
    .filter(({ role }) => role === "system" || role === "developer")
    .map(({ content }) => plain(content))
    .join("\n");
}

function plain(content: string | readonly { readonly text: string }[]): string {
  return typeof content === "string" ? content : content.map(({ text }) => text).join("\n");
}

/** With `strict`, every object is closed and requires all its properties. @throws InvalidRequest */
function checkStrict(schema: unknown, name: string): void {
  if (Array.isArray(schema)) {
    for (const each of schema) checkStrict(each, name);
    return;
  }
  if (typeof schema !== "object" || schema === null) return;
  const entries = new Map<string, unknown>(Object.entries(schema));
  const properties = entries.get("properties");
  const inside = typeof properties === "object" && properties !== null ? Object.entries(properties) : [];
  if (entries.get("type") === "object") {
    const complain = (what: string) => {
      throw new InvalidRequest(`Invalid schema for response_format '${name}': In context=(), ${what}`);
    };
    if (entries.get("additionalProperties") !== false) {
      complain("'additionalProperties' is required to be supplied and to be false.");
    }
    const required = entries.get("required");
    const missing = inside.find(([key]) => !Array.isArray(required) || !required.includes(key));
    if (missing !== undefined) {
      complain(
        `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing[0]}'.`,
      );
    }
  }
  for (const [, each] of inside) checkStrict(each, name);
  const defs = entries.get("$defs");
  if (typeof defs === "object" && defs !== null) checkStrict(Object.values(defs), name);
  for (const key of ["items", "anyOf"]) checkStrict(entries.get(key), name);
}
