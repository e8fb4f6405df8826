import type { ChatCompletionAssistantMessageParam } from "openai/resources/chat/completions";
import { z } from "zod";
import type { ToolChatAnswer, ToolChatCall, ToolChatTokens } from "../../ports/tool-chat.ts";
import { openAiUsage, openAiUsageSchema } from "./openai-usage.ts";
import { MisshapenAnswer } from "./provider-fault.ts";

const count = z.int().nonnegative();
const ids = z.array(count);

const completion = z.object({
  model: z.string(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          // Where DeepSeek, Moonshot and vLLM, and where newer vLLM and others show the thinking.
          reasoning_content: z.string().nullish(),
          reasoning: z.string().nullish(),
          reasoning_details: z.array(z.unknown()).nullish(),
          tool_calls: z
            .array(
              z.object({
                id: z.string().nullish(),
                function: z.object({
                  name: z.string(),
                  // Some servers give an object where the format has text.
                  arguments: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
                }),
              }),
            )
            .nullish(),
        }),
        logprobs: z.object({ content: z.array(z.object({ logprob: z.number() })).nullish() }).nullish(),
        // vLLM's.
        token_ids: ids.nullish(),
      }),
    )
    .min(1),
  prompt_token_ids: ids.nullish(),
  usage: openAiUsageSchema.nullish(),
});
type Completion = z.infer<typeof completion>;
type Choice = Completion["choices"][number];

const STOPS: Readonly<Record<string, ToolChatAnswer["stop"]>> = {
  stop: "end",
  tool_calls: "calls",
  function_call: "calls",
  length: "length",
  content_filter: "refusal",
};

/** `turn` makes ids of calls where the server gives none. @throws MisshapenAnswer */
export function openAiToolAnswer(body: unknown, { turn }: { readonly turn: number }): ToolChatAnswer {
  const parsed = completion.safeParse(body);
  const choice = parsed.data?.choices[0];
  if (!parsed.success || choice === undefined) throw new MisshapenAnswer("a completion", parsed.error);
  const { model, usage } = parsed.data;
  const { content, refusal, reasoning_content, reasoning } = choice.message;
  const declined = typeof refusal === "string" && refusal !== "";
  const cut = choice.finish_reason === "length";
  const calls = callsOf(choice, { turn, cut });
  const stop = declined ? "refusal" : (STOPS[choice.finish_reason ?? ""] ?? "other");
  const thought = reasoning_content ?? reasoning ?? "";
  const tokens = tokensOf(parsed.data, choice);
  return {
    text: declined ? refusal : (content ?? ""),
    ...(thought === "" ? {} : { reasoning: thought }),
    calls,
    // Some servers end a turn of calls with `stop`.
    stop: stop === "end" && calls.length > 0 ? "calls" : stop,
    usage: openAiUsage(usage),
    model,
    ...(tokens === null ? {} : { tokens }),
    native: sentBack(choice, calls),
  };
}

function callsOf(
  { message }: Choice,
  { turn, cut }: { readonly turn: number; readonly cut: boolean },
): readonly ToolChatCall[] {
  const given = message.tool_calls ?? [];
  const seen = new Set<string>();
  return given.map(({ id, function: called }, index) => {
    const own = id ?? "";
    const unique = own !== "" && !seen.has(own) ? own : `call_${turn}_${index}`;
    seen.add(unique);
    const raw =
      typeof called.arguments === "string" ? called.arguments : JSON.stringify(called.arguments ?? {});
    const params = cut && index === given.length - 1 ? null : objectOf(raw);
    const call = { id: unique, tool: called.name };
    return params === null ? { ...call, params: {}, rawArguments: raw } : { ...call, params };
  });
}

/** No arguments at all are none. Null: no JSON object. */
function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function tokensOf({ prompt_token_ids }: Completion, { token_ids, logprobs }: Choice): ToolChatTokens | null {
  if (!prompt_token_ids || !token_ids) return null;
  const given = logprobs?.content?.map(({ logprob }) => logprob);
  return {
    promptIds: prompt_token_ids,
    completionIds: token_ids,
    // A server that leaves some out does not say which.
    ...(given?.length === token_ids.length ? { logprobs: given } : {}),
  };
}

/** Fields in which thinking comes; servers that show it want it back while the model calls tools. */
const THINKING = ["reasoning_content", "reasoning", "reasoning_details"] as const;

/**
 * The message for the next request. Servers parse the arguments of earlier calls and fail where they are no JSON, so
 * such arguments go back as the value of a field.
 */
function sentBack({ message }: Choice, calls: readonly ToolChatCall[]): unknown {
  const thinking = THINKING.flatMap((field) => (message[field] ? [[field, message[field]]] : []));
  const given = message.tool_calls ?? [];
  return {
    role: "assistant",
    content: message.content ?? message.refusal ?? (calls.length > 0 ? null : ""),
    ...Object.fromEntries(thinking),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ id, tool, params, rawArguments }, index) => {
            const wrote = given[index]?.function.arguments;
            const whole = typeof wrote === "string" && wrote.trim() !== "" ? wrote : JSON.stringify(params);
            const text = rawArguments === undefined ? whole : JSON.stringify({ raw_arguments: rawArguments });
            return { id, type: "function", function: { name: tool, arguments: text } };
          }),
        }),
  };
}

const sent = z.looseObject({ role: z.literal("assistant") });

/** @throws TypeError for an answer of another adapter */
export function nativeMessage(native: unknown): ChatCompletionAssistantMessageParam {
  const parsed = sent.safeParse(native);
  if (!parsed.success) throw new TypeError("An answer in the history is not one of OpenAI's format");
  return parsed.data as unknown as ChatCompletionAssistantMessageParam;
}
