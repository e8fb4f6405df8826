import { z } from "zod";
import type { ChatAnswer, StopReason } from "../../ports/chat-model.ts";
import type { AnthropicStructured } from "./anthropic-request.ts";
import { MisshapenAnswer } from "./provider-fault.ts";
import { unwrappedJson } from "./structured.ts";

const tokens = z.int().nonnegative();

const message = z.object({
  model: z.string(),
  stop_reason: z.string().nullable(),
  content: z.array(
    z.object({ type: z.string(), text: z.string().optional(), input: z.unknown().optional() }),
  ),
  usage: z.object({
    input_tokens: tokens,
    output_tokens: tokens,
    cache_read_input_tokens: tokens.nullish(),
    cache_creation_input_tokens: tokens.nullish(),
  }),
});

const STOPS: Readonly<Record<string, StopReason>> = {
  end_turn: "end",
  stop_sequence: "end",
  tool_use: "end",
  max_tokens: "length",
  refusal: "refusal",
};

/** Reads a message. The text is the input of a tool where one was called. @throws MisshapenAnswer */
export function anthropicAnswer(body: unknown, structured: AnthropicStructured): ChatAnswer {
  const parsed = message.safeParse(body);
  if (!parsed.success) throw new MisshapenAnswer("a message", parsed.error);
  const { model, content, stop_reason, usage } = parsed.data;
  const called = content.find(({ type }) => type === "tool_use");
  const said = content.map(({ type, text }) => (type === "text" ? (text ?? "") : "")).join("");
  return {
    text:
      called === undefined
        ? structured === "prompt"
          ? unwrappedJson(said)
          : said
        : JSON.stringify(called.input),
    stop: STOPS[stop_reason ?? ""] ?? "other",
    usage: {
      input: usage.input_tokens,
      cacheRead: usage.cache_read_input_tokens ?? 0,
      cacheWrite: usage.cache_creation_input_tokens ?? 0,
      output: usage.output_tokens,
    },
    model,
  };
}
