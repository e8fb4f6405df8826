import type { SftMessage } from "../sft-messages.ts";
import { originOf, type Rendering, refused, row, type Source } from "./rendering.ts";
import { haveObjects, NO_OBJECT, templateMessage } from "./template-messages.ts";

export interface Parts {
  readonly prompt: readonly SftMessage[];
  readonly completion: readonly SftMessage[];
}

/** Splits a conversation before the first message that may be learnt. */
export function partsOf(messages: readonly SftMessage[]): Parts {
  const start = messages.findIndex(({ trainable }) => trainable);
  const at = start < 0 ? messages.length : start;
  return { prompt: messages.slice(0, at), completion: messages.slice(at) };
}

export const MASKED = "a message in its middle may not be trained on";
export const NO_PROMPT = "nothing comes before the agent's first message";

/** Whether all that the agent says in these messages may be learnt. */
export function isAllTrainable(messages: readonly SftMessage[]): boolean {
  return messages.every(({ message, trainable }) => message.role !== "assistant" || trainable);
}

export function promptCompletionRow(source: Source): Rendering {
  const { prompt, completion } = partsOf(source.turns);
  if (prompt.length === 0) return refused(NO_PROMPT);
  if (!isAllTrainable(completion)) return refused(MASKED);
  if (!haveObjects(source.turns)) return refused(NO_OBJECT);
  return row({
    prompt: prompt.map(({ message }) => templateMessage(message)),
    completion: completion.map(({ message }) => templateMessage(message)),
    tools: source.sft.tools,
    ...originOf(source),
  });
}
