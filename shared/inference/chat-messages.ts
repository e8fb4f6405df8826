import { z } from "zod";
import type { ToolChatMessage, ToolChatRequest } from "../ports/tool-chat.ts";
import type { ToolSyntax } from "./tool-calls/syntax.ts";

const nativeSchema = z.object({
  /** Prompt and answer as text and as tokens, special tokens among them. */
  context: z.string(),
  ids: z.array(z.int()),
  /** The answer as it was written, without the token that ended it. */
  written: z.string(),
});
/** What the adapter keeps of its own answers. */
export type NativeAnswer = z.infer<typeof nativeSchema>;

/** @throws TypeError for an answer of another adapter */
export function nativeAnswer(native: unknown): NativeAnswer {
  const parsed = nativeSchema.safeParse(native);
  if (parsed.success) return parsed.data;
  throw new TypeError("An answer in the history is not one of an ONNX model");
}

/** The conversation as chat templates and the rows of datasets have it. */
export function templateConversation(
  request: Pick<ToolChatRequest, "system" | "messages">,
  syntax: ToolSyntax,
): readonly unknown[] {
  const { system, messages } = request;
  const names = new Map(messages.flatMap(callNames));
  return [
    ...(system.trim() === "" ? [] : [{ role: "system", content: system }]),
    ...messages.flatMap((message) => templateMessages(message, { syntax, names })),
  ];
}

function callNames(message: ToolChatMessage): readonly (readonly [string, string])[] {
  return message.role === "assistant" ? message.answer.calls.map(({ id, tool }) => [id, tool] as const) : [];
}

function templateMessages(
  message: ToolChatMessage,
  { syntax, names }: { readonly syntax: ToolSyntax; readonly names: ReadonlyMap<string, string> },
): readonly unknown[] {
  switch (message.role) {
    case "user":
      return [{ role: "user", content: message.text }];
    case "results":
      return message.results.map(({ callId, text }) =>
        syntax === "action"
          ? { role: "user", content: `Observation: ${text}` }
          : { role: "tool", tool_call_id: callId, name: names.get(callId) ?? "", content: text },
      );
    case "assistant":
      return [assistantMessage(message, syntax)];
  }
}

function assistantMessage(
  { answer }: Extract<ToolChatMessage, { readonly role: "assistant" }>,
  syntax: ToolSyntax,
): unknown {
  const { text, reasoning, calls } = answer;
  const unread = calls.some(({ rawArguments }) => rawArguments !== undefined);
  // Templates know calls with objects only, so what could not be read goes back as it was written. Mistral's stop at
  // results that answer no call.
  if (syntax === "action" || (unread && syntax !== "mistral")) {
    return { role: "assistant", content: nativeAnswer(answer.native).written };
  }
  return {
    role: "assistant",
    content: text,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ id, tool, params, rawArguments }) => ({
            id,
            type: "function",
            function: {
              name: tool,
              arguments: rawArguments === undefined ? params : { raw_arguments: rawArguments },
            },
          })),
        }),
  };
}
