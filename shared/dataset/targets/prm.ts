import type { ChatMessage, SftMessage } from "../sft-messages.ts";
import { withThinking } from "./chat-tools.ts";
import { originOf, type Rendering, refused, row, type Source } from "./rendering.ts";

/** From this reward on a step counts as good. */
const GOOD = 0.5;

/**
 * An attempt step by step. A completion is what the agent saw since its last step and what it then did, so that the
 * label stands before the step's own result is shown.
 */
export function prmRow(source: Source): Rendering {
  const { prompt, completions } = stepTexts(source.messages);
  const rewards = source.sft.step_rewards.filter((_, index) => isStep(source.messages[index]));
  if (source.score === undefined) return refused("not scored yet");
  const known = rewards.filter((reward) => reward !== null);
  if (known.length < rewards.length) return refused("a step has no reward");
  return row({
    prompt,
    completions,
    labels: known.map((reward) => reward >= GOOD),
    soft_labels: known,
    ...originOf(source),
  });
}

function isStep(message: SftMessage | undefined): boolean {
  return message !== undefined && message.agentStep !== null;
}

export function stepTexts(messages: readonly SftMessage[]): {
  readonly prompt: string;
  readonly completions: readonly string[];
} {
  const first = messages.findIndex(isStep);
  const completions: string[] = [];
  let seen: string[] = [];
  for (const each of messages.slice(Math.max(0, first))) {
    seen.push(messageText(each.message));
    if (!isStep(each)) continue;
    completions.push(seen.join("\n\n"));
    seen = [];
  }
  const before = first < 0 ? messages : messages.slice(0, first);
  return { prompt: before.map(({ message }) => messageText(message)).join("\n\n"), completions };
}

function messageText({ role, content, reasoning_content, tool_calls, name }: ChatMessage): string {
  const calls = (tool_calls ?? []).map((call) => `${call.function.name}(${call.function.arguments})`);
  const said = withThinking(reasoning_content, content);
  const who = role === "tool" && name !== undefined ? `tool ${name}` : role;
  return `[${who}]\n${[said, ...calls].filter((part) => part !== "").join("\n")}`;
}
