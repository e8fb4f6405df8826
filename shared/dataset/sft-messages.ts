import { contentText } from "../trajectory/content.ts";
import type { ObservationResult, Step, ToolCall, Trajectory } from "../trajectory/schema.ts";

/** A chat message as OpenAI, TRL and the models' chat templates take it. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly ChatToolCall[];
  readonly tool_call_id?: string;
  readonly name?: string;
}

export interface ChatToolCall {
  readonly id: string;
  readonly type: "function";
  /** `arguments` is JSON text: as an object, Arrow would give every row the keys of all others, as nulls. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A message, which agent step it is (from 0; null for all others), and whether it may be trained on. */
export interface SftMessage {
  readonly message: ChatMessage;
  readonly agentStep: number | null;
  readonly trainable: boolean;
}

/**
 * The native conversation of a trajectory. Native calls become `tool_calls` and `tool` messages with their ids;
 * a call that was written in the message's text stays there, and its observation comes back in the role it had.
 * Copied context, masked and empty turns and steps
 * without a model call are not trainable. Media become a short mark, since these rows are text.
 */
export function sftMessages(trajectory: Pick<Trajectory, "steps">): readonly SftMessage[] {
  const messages: SftMessage[] = [];
  let agentStep = 0;
  for (const step of trajectory.steps) {
    const copied = step.is_copied_context === true;
    const trainable = step.source === "agent" && !copied && isModelsOwn(step);
    const index = step.source === "agent" && !copied ? agentStep++ : null;
    if (!isBare(step)) messages.push({ message: messageOf(step), agentStep: index, trainable });
    for (const result of step.observation?.results ?? []) {
      messages.push({ message: resultMessage(result, step), agentStep: null, trainable: false });
    }
  }
  return messages;
}

/** What no model wrote, or what says nothing, is nothing to learn from. */
function isModelsOwn(step: Step): boolean {
  if (step.extra?.gymline?.trainable === false || step.llm_call_count === 0) return false;
  const said = contentText(step.message) !== "" || (step.reasoning_content ?? "") !== "";
  return said || (step.tool_calls ?? []).length > 0;
}

/** A step that only carries an observation from before the first turn. */
function isBare(step: Step): boolean {
  return step.source === "system" && step.message === "" && (step.observation?.results.length ?? 0) > 0;
}

function messageOf(step: Step): ChatMessage {
  if (step.source !== "agent") {
    const role = step.source === "user" ? "user" : (systemRole(step) ?? "system");
    return { role, content: contentText(step.message) };
  }
  const native = (step.tool_calls ?? []).filter((call) => call.extra?.gymline?.from !== "text");
  return {
    role: "assistant",
    content: contentText(step.message),
    ...(step.reasoning_content ? { reasoning_content: step.reasoning_content } : {}),
    ...(native.length === 0 ? {} : { tool_calls: native.map(chatCall) }),
  };
}

function systemRole(step: Step): string | undefined {
  const role = step.extra?.gymline?.role;
  return role === "developer" ? role : undefined;
}

function chatCall(call: ToolCall): ChatToolCall {
  const text = call.extra?.gymline?.raw_arguments ?? JSON.stringify(call.arguments);
  return { id: call.tool_call_id, type: "function", function: { name: call.function_name, arguments: text } };
}

function resultMessage(result: ObservationResult, step: Step): ChatMessage {
  const content = contentText(result.content);
  const call = (step.tool_calls ?? []).find((candidate) => candidate.tool_call_id === result.source_call_id);
  const isNative = call !== undefined && call.extra?.gymline?.from !== "text";
  const role = result.extra?.gymline?.role;
  if (!isNative || role === "user") return { role: role === "system" ? "system" : "user", content };
  return { role: "tool", tool_call_id: call.tool_call_id, name: call.function_name, content };
}
