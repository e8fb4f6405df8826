import { z } from "zod";
import type { ChatAnswer, StopReason } from "../../ports/chat-model.ts";
import type { AnthropicStructured } from "./anthropic-request.ts";
import { anthropicUsage, anthropicUsageSchema } from "./anthropic-usage.ts";
import { MisshapenAnswer } from "./provider-fault.ts";
import { unwrappedJson } from "./structured.ts";

const message = z.object({
  model: z.string(),
  stop_reason: z.string().nullable(),
  content: z.array(
    z.object({ type: z.string(), text: z.string().optional(), input: z.unknown().optional() }),
  ),
  usage: anthropicUsageSchema,
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
    usage: anthropicUsage(usage),
    model,
  };
}
