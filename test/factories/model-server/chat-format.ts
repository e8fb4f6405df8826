import { z } from "zod";
import { cutAt, type Question, tokensOf } from "./asked.ts";
import { InvalidRequest } from "./messages-request.ts";
import type { AnswerReply, ScriptedStop } from "./replies.ts";

const part = z.strictObject({ type: z.literal("text"), text: z.string() });
const schemaName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);

const content = z.union([z.string(), z.array(part)]);
const said = z.strictObject({
  role: z.enum(["system", "developer", "user"]),
  content,
  name: z.string().optional(),
});
const assistant = z.strictObject({
  role: z.literal("assistant"),
  content: content.nullish(),
  name: z.string().optional(),
  reasoning_content: z.string().nullish(),
  tool_calls: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        type: z.literal("function"),
        function: z.strictObject({ name: schemaName, arguments: z.string() }),
      }),
    )
    .min(1)
    .optional(),
});
const toolMessage = z.strictObject({ role: z.literal("tool"), tool_call_id: z.string(), content });

/** Body of `POST /v1/chat/completions`: what is not named here the provider refuses. */
const chatRequest = z.strictObject({
  model: z.string().min(1),
  messages: z.array(z.discriminatedUnion("role", [said, assistant, toolMessage])).min(1),
  tools: z
    .array(
      z.strictObject({
        type: z.literal("function"),
        function: z.strictObject({
          name: schemaName,
          description: z.string().optional(),
          parameters: z.looseObject({ type: z.literal("object") }).optional(),
          strict: z.boolean().nullish(),
        }),
      }),
    )
    .min(1)
    .optional(),
  tool_choice: z.enum(["auto", "none", "required"]).optional(),
  parallel_tool_calls: z.boolean().optional(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().nullish(),
  // vLLM's.
  return_token_ids: z.boolean().nullish(),
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
  checkCalls(request.messages);
  const format = request.response_format;
  const words = request.messages.map(({ content }) => plain(content)).join("\n");
  if (format?.type === "json_object" && !/json/i.test(words)) {
    throw new InvalidRequest(
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    );
  }
  if (format?.type === "json_schema" && format.json_schema.strict) {
    checkStrict(format.json_schema.schema, format.json_schema.name);
  }
  return request;
}

/** As OpenAI checks it; vLLM parses the arguments besides. @throws InvalidRequest */
function checkCalls(messages: ChatCompletionRequest["messages"]): void {
  let open: readonly string[] = [];
  for (const message of messages) {
    if (message.role === "tool") {
      if (!open.includes(message.tool_call_id)) {
        throw new InvalidRequest(
          "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
        );
      }
      open = open.filter((id) => id !== message.tool_call_id);
      continue;
    }
    checkAnswered(open);
    open = message.role === "assistant" ? (message.tool_calls?.map(({ id }) => id) ?? []) : [];
    if (message.role !== "assistant") continue;
    for (const { function: called } of message.tool_calls ?? []) {
      try {
        JSON.parse(called.arguments);
      } catch {
        throw new InvalidRequest("Expecting value: line 1 column 1 (char 0)");
      }
    }
  }
  checkAnswered(open);
}

function checkAnswered(open: readonly string[]): void {
  if (open.length === 0) return;
  throw new InvalidRequest(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(", ")}`,
  );
}

function resultsOf(messages: ChatCompletionRequest["messages"]): Question["results"] {
  const last = messages.findLastIndex(({ role }) => role !== "tool");
  return messages
    .slice(last + 1)
    .flatMap((each) => (each.role === "tool" ? [{ id: each.tool_call_id, text: plain(each.content) }] : []));
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
    tools: request.tools?.map(({ function: { name } }) => name) ?? [],
    results: resultsOf(request.messages),
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
  const tokens = request.return_token_ids ? reply.tokens : null;
  const logprobs = request.logprobs ? reply.tokens?.logprobs : undefined;
  const { calls, thinking } = reply;
  return {
    ...(tokens === null ? {} : { prompt_token_ids: tokens.prompt }),
    id: `chatcmpl-${options.id}`,
    object: "chat.completion",
    created: Math.floor(options.now / 1000),
    model: request.model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: stop === "refusal" || (text === "" && calls.length > 0) ? null : text,
          refusal: stop === "refusal" ? text : null,
          ...(thinking === null ? {} : { reasoning_content: thinking }),
          ...(calls.length === 0
            ? {}
            : {
                tool_calls: calls.map(({ id, name, input, arguments: raw }, at) => ({
                  id: id ?? `call_${options.id}_${at}`,
                  type: "function",
                  function: { name, arguments: raw ?? JSON.stringify(input ?? {}) },
                })),
              }),
        },
        logprobs:
          logprobs === undefined ? null : { content: logprobs.map((logprob) => ({ token: "x", logprob })) },
        ...(tokens === null ? {} : { token_ids: tokens.completion }),
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

function plain(content: string | readonly { readonly text: string }[] | null | undefined): string {
  if (content === null || content === undefined) return "";
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
