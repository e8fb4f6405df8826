import { cutAt, type Question, tokensOf } from "./asked.ts";
import { blocksOf, type MessagesRequest, signatureOf, textOf } from "./messages-request.ts";
import type { AnswerReply, ScriptedStop } from "./replies.ts";

/** Prefixes that were seen, by model: what the provider's cache would hold. */
export type SeenPrefixes = Set<string>;

const STOPS: Readonly<Record<ScriptedStop, string>> = {
  end: "end_turn",
  stop_sequence: "stop_sequence",
  tool_use: "tool_use",
  length: "max_tokens",
  refusal: "refusal",
  filtered: "refusal",
  pause: "pause_turn",
};

export function questionOf(request: MessagesRequest, customId: string | null): Question {
  const turns = request.messages.map(({ role, content }) => ({ role, content: textOf(content) }));
  const choice = request.tool_choice;
  const forced =
    choice?.type === "tool" ? request.tools?.find(({ name }) => name === choice.name) : undefined;
  const native = request.output_config?.format?.schema ?? null;
  return {
    api: customId === null ? "messages" : "batch",
    model: request.model,
    system: textOf(request.system),
    turns,
    text: turns.at(-1)?.content ?? "",
    tools: request.tools?.map(({ name }) => name) ?? [],
    results: resultsOf(request),
    schema: native ?? forced?.input_schema ?? null,
    structured: native === null ? (forced === undefined ? null : "tool") : "native",
    maxTokens: request.max_tokens,
    temperature: request.temperature ?? null,
    customId,
  };
}

/** Body of a message, with what it cost. */
export function messageOf(
  request: MessagesRequest,
  reply: AnswerReply,
  options: { readonly id: string; readonly seen: SeenPrefixes; readonly tier: "standard" | "batch" },
): Readonly<Record<string, unknown>> {
  const { text, cut } = cutAt(reply.text, request.max_tokens);
  const stop = cut ? "length" : reply.stop;
  const choice = request.tool_choice;
  const thinking = reply.thinking;
  const said =
    choice?.type === "tool" && stop !== "refusal"
      ? [{ type: "tool_use", id: `toolu_${options.id}`, name: choice.name, input: inputOf(text, stop) }]
      : text === ""
        ? []
        : [{ type: "text", text, citations: null }];
  const content = [
    ...(thinking === null ? [] : [{ type: "thinking", thinking, signature: signatureOf(thinking) }]),
    ...said,
    ...reply.calls.map(({ id, name, input }, index) => ({
      ...{ type: "tool_use", id: id ?? `toolu_${options.id}_${index}`, name, input: input ?? {} },
    })),
  ];
  const forced = choice?.type === "tool" && stop === "end";
  const usage = { ...cachedUsage(request, options.seen), output: tokensOf(text), ...reply.usage };
  return {
    id: `msg_${options.id}`,
    type: "message",
    role: "assistant",
    model: request.model,
    content,
    stop_reason: forced ? "tool_use" : STOPS[stop],
    stop_sequence: null,
    stop_details: stop === "refusal" ? { type: "refusal", category: null, explanation: null } : null,
    container: null,
    usage: {
      input_tokens: usage.input,
      cache_read_input_tokens: usage.cacheRead,
      cache_creation_input_tokens: usage.cacheWrite,
      cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite, ephemeral_1h_input_tokens: 0 },
      output_tokens: usage.output,
      service_tier: options.tier,
    },
  };
}

function resultsOf(request: MessagesRequest): Question["results"] {
  const last = request.messages.at(-1)?.content;
  if (last === undefined || typeof last === "string") return [];
  return last.flatMap((block) =>
    block.type === "tool_result" ? [{ id: block.tool_use_id, text: textOf(block.content) }] : [],
  );
}

/** What a cut call of a tool holds does not parse; the provider then gives what it has, here nothing. */
function inputOf(text: string, stop: ScriptedStop): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (stop === "length") return {};
    throw new Error("The script answered a forced tool call with text that is no JSON", { cause: error });
  }
}

/** The longest marked prefix that was seen before is read from the cache, the rest up to the last mark is written. */
function cachedUsage(
  request: MessagesRequest,
  seen: SeenPrefixes,
): { readonly input: number; readonly cacheRead: number; readonly cacheWrite: number } {
  const blocks = blocksOf(request);
  const whole = blocks.map(({ text }) => text).join("");
  const format = JSON.stringify(request.output_config?.format ?? null);
  let prefix = "";
  let read = 0;
  let marked = 0;
  for (const [index, block] of blocks.entries()) {
    prefix += block.text;
    const automatic = Boolean(request.cache_control) && index === blocks.length - 1;
    if (!block.marked && !automatic) continue;
    const key = `${request.model}\n${format}\n${prefix}`;
    marked = tokensOf(prefix);
    if (seen.has(key)) read = marked;
    seen.add(key);
  }
  return { input: tokensOf(whole) - marked, cacheRead: read, cacheWrite: marked - read };
}
