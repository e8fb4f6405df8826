import type { ChatMessage, SftMessage } from "../sft-messages.ts";
import { withThinking } from "./chat-tools.ts";
import { originOf, type Rendering, refused, row, type Source } from "./rendering.ts";

/** From this reward on a step counts as good. */
const GOOD = 0.5;

/**
 * An attempt step by step. A completion is what the agent saw since its last rewarded step and what it then did, so that
 * the label stands before the step's own result is shown. Steps without a reward, such as a final answer, are context.
 */
export function prmRow(source: Source): Rendering {
  if (source.score === undefined) return refused("not scored yet");
  const rewards = source.sft.step_rewards;
  const known = rewards.filter((reward) => reward !== null);
  if (known.length === 0) return refused("no step has a reward");
  const { prompt, completions } = stepTexts(source.turns, (index) => rewards[index] !== null);
  return row({
    prompt,
    completions,
    labels: known.map((reward) => reward >= GOOD),
    soft_labels: known,
    ...originOf(source),
  });
}

/** `isRewarded`: whether the message at an index is a step with a reward. What follows the last one is left out. */
export function stepTexts(
  messages: readonly SftMessage[],
  isRewarded: (index: number) => boolean,
): { readonly prompt: string; readonly completions: readonly string[] } {
  const first = messages.findIndex(({ agentStep }) => agentStep !== null);
  const completions: string[] = [];
  const prompt: string[] = [];
  let seen: string[] = [];
  for (const [index, { message }] of messages.entries()) {
    (index < first ? prompt : seen).push(messageText(message));
    if (!isRewarded(index)) continue;
    completions.push(seen.join("\n\n"));
    seen = [];
  }
  return { prompt: prompt.join("\n\n"), completions };
}

function messageText({ role, content, reasoning_content, tool_calls, name }: ChatMessage): string {
  const calls = (tool_calls ?? []).map((call) => `${call.function.name}(${call.function.arguments})`);
  const said = withThinking(reasoning_content, content);
  const who = role === "tool" && name !== undefined ? `tool ${name}` : role;
  return `[${who}]\n${[said, ...calls].filter((part) => part !== "").join("\n")}`;
}
