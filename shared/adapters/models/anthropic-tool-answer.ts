import type { ContentBlockParam } from "@anthropic-ai/sdk/resources/messages/messages";
import { z } from "zod";
import type { ToolChatAnswer, ToolChatCall } from "../../ports/tool-chat.ts";
import { anthropicUsage, anthropicUsageSchema } from "./anthropic-usage.ts";
import { MisshapenAnswer } from "./provider-fault.ts";

const message = z.object({
  model: z.string(),
  stop_reason: z.string().nullable(),
  content: z.array(
    z.looseObject({
      type: z.string(),
      text: z.string().optional(),
      thinking: z.string().optional(),
      id: z.string().optional(),
      name: z.string().optional(),
      input: z.unknown().optional(),
    }),
  ),
  usage: anthropicUsageSchema,
});
type Block = z.infer<typeof message>["content"][number];

const STOPS: Readonly<Record<string, ToolChatAnswer["stop"]>> = {
  end_turn: "end",
  stop_sequence: "end",
  tool_use: "calls",
  max_tokens: "length",
  model_context_window_exceeded: "context",
  refusal: "refusal",
};

/** Reads a message with calls. @throws MisshapenAnswer */
export function anthropicToolAnswer(body: unknown): ToolChatAnswer {
  const parsed = message.safeParse(body);
  if (!parsed.success) throw new MisshapenAnswer("a message", parsed.error);
  const { model, content, stop_reason, usage } = parsed.data;
  const stop = STOPS[stop_reason ?? ""] ?? "other";
  const isCut = stop === "length" || stop === "context";
  const reasoning = content.flatMap(({ type, thinking }) => (type === "thinking" ? [thinking ?? ""] : []));
  const said = content.flatMap(({ type, text }) => (type === "text" ? [text ?? ""] : []));
  const shown = reasoning.filter((text) => text !== "").join("\n\n");
  return {
    text: said.join("\n\n"),
    ...(shown === "" ? {} : { reasoning: shown }),
    calls: content.flatMap((block, index) =>
      block.type === "tool_use" ? [callOf(block, isCut && index === content.length - 1)] : [],
    ),
    stop,
    usage: anthropicUsage(usage),
    model,
    native: content,
  };
}

/** What is left of a call that was cut off may look whole and mean something else: it must not be carried out. */
function callOf({ id, name, input }: Block, cut: boolean): ToolChatCall {
  if (id === undefined || name === undefined) throw new MisshapenAnswer("a message with whole calls");
  const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
  if (!cut && isObject) return { id, tool: name, params: { ...input } };
  return { id, tool: name, params: {}, rawArguments: JSON.stringify(input ?? null) };
}

const sent = z.array(z.looseObject({ type: z.string() }));

/** The blocks as they came, for the next request. @throws TypeError for an answer of another adapter */
export function nativeBlocks(native: unknown): ContentBlockParam[] {
  const parsed = sent.safeParse(native);
  if (!parsed.success) throw new TypeError("An answer in the history is not one of Anthropic's");
  // An empty text cannot be sent, although it can be received.
  const blocks = parsed.data.filter((block) => block.type !== "text" || block["text"] !== "");
  return blocks as unknown as ContentBlockParam[];
}
