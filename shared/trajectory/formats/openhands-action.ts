import type { AgentInput, CallInput } from "../builder.ts";
import type { Outcome } from "../gymline-extra.ts";
import type { ModelReply } from "./openhands-response.ts";
import { COMMON_FIELDS, type OpenHandsEvent } from "./openhands-shape.ts";
import { at, count, field, filled, flag, label, list, record, rest, text } from "./read.ts";

/** Arguments that the framework adds to what the model asked for. */
const BOOKKEEPING: ReadonlySet<string> = new Set([
  "thought",
  "is_confirmed",
  "confirmation_state",
  "security_risk",
  "action_risk",
  "keep_prompt",
  "blocking",
  "hidden",
  "is_static",
  "cwd",
  "kernel_init_code",
  "include_extra",
  "wait_for_response",
  "impl_source",
  "translated_ipython_code",
]);

/** Facts of an action's `extras` that are read elsewhere. */
const RUN_FACTS = ["model", "agent_class", "token_count", "instance_id", "max_iterations"];

export function eventTime(event: OpenHandsEvent): unknown {
  return field(event.raw, "timestamp") ?? undefined;
}

/** The text of a message event, with its images. */
export function messageContent(event: OpenHandsEvent): unknown {
  const content = field(event.fields, "content") ?? field(event.raw, "message") ?? "";
  const images = [field(event.fields, "image_urls"), field(event.fields, "images_urls")]
    .flatMap((value) => list(value) ?? [])
    .filter((url) => typeof url === "string");
  if (images.length === 0) return content;
  return [
    { type: "text", text: text(content) ?? "" },
    ...images.map((url) => ({ type: "image_url", image_url: url })),
  ];
}

/** What the model said beside its call, where the log does not hold the reply itself. */
export function actionMessage(event: OpenHandsEvent): string {
  const beside = text(field(event.raw, "thought"));
  if (event.type === "think") return event.flat ? "" : (beside ?? "");
  return filled(field(event.fields, "thought")) ?? beside ?? "";
}

/** The call of an action, from the action's own fields. */
export function mappedCall(event: OpenHandsEvent, nativeId: string | undefined): CallInput {
  const mcp = event.type === "call_tool_mcp" ? filled(field(event.fields, "name")) : undefined;
  const name = filled(at(event.raw, "tool_call_metadata", "function_name")) ?? mcp ?? event.type;
  const isAdded = (key: string) => BOOKKEEPING.has(key) && !(event.type === "think" && key === "thought");
  const entries = Object.entries(event.fields).filter(([, value]) => value !== null && value !== undefined);
  const asked = Object.fromEntries(entries.filter(([key]) => !isAdded(key)));
  const added = entries.filter(([key, value]) => isAdded(key) && key !== "thought" && value !== "");
  const native = {
    ...Object.fromEntries(added),
    ...(event.flat ? {} : rest(event.raw, COMMON_FIELDS).kept),
    ...rest(field(event.raw, "extras"), RUN_FACTS).kept,
  };
  return {
    name,
    arguments: mcp === undefined ? asked : (record(field(event.fields, "arguments")) ?? {}),
    ...(nativeId === undefined ? {} : { id: nativeId }),
    ...(Object.keys(native).length === 0 ? {} : { native }),
  };
}

/** Model, reasoning and usage of a step; `counted`: another step has the reply's usage already. */
export function replyFields(
  event: OpenHandsEvent,
  reply: ModelReply | undefined,
  counted: boolean,
): Pick<AgentInput, "model" | "reasoning" | "metrics"> {
  if (reply === undefined) {
    const tokens = count(at(event.raw, "extras", "token_count"));
    return tokens === undefined ? {} : { metrics: { extra: { token_count: tokens } } };
  }
  return {
    ...(reply.model === undefined ? {} : { model: reply.model }),
    ...(reply.reasoning === undefined || counted ? {} : { reasoning: reply.reasoning }),
    ...(counted ? {} : { metrics: reply.metrics }),
  };
}

/** The text of an observation; delegates give outputs instead. */
export function observationContent(event: OpenHandsEvent): unknown {
  if (typeof event.content === "string" && event.content !== "") return event.content;
  const outputs = field(event.fields, "outputs");
  if (event.type === "delegate" && outputs !== undefined && outputs !== null) return outputs;
  return event.content ?? field(event.raw, "message") ?? "";
}

export function nativeCallId(event: OpenHandsEvent): string | undefined {
  return label(at(event.raw, "tool_call_metadata", "tool_call_id"));
}

export function isEnd(event: OpenHandsEvent): boolean {
  return event.type === "finish" || event.type === "reject";
}

/** How the agent ended the run, and what it claims. Only a test result in the event is a verdict. */
export function applyEnd(event: OpenHandsEvent, outcome: Outcome): void {
  outcome.exit_status ??= event.type;
  const claim = field(event.fields, "task_completed");
  if (claim !== undefined && claim !== null) {
    outcome.metadata = { ...outcome.metadata, claimed_completed: claim };
  }
  const tests = at(event.fields, "outputs", "test_result");
  const success = flag(field(tests, "success"));
  if (success === undefined) return;
  const passed = count(field(tests, "tests_passed"));
  const failed = count(field(tests, "tests_failed"));
  if (passed !== undefined) outcome.tests_passed = passed;
  if (failed !== undefined) outcome.tests_failed = failed;
  // A label of the evaluation, outside the stream, stands above what the stream says.
  if (outcome.success !== null) return;
  outcome.success = success;
  outcome.label_source = "finish.outputs.test_result";
}
