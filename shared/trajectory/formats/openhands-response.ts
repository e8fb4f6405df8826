import type { CallInput, TrajectoryBuilder } from "../builder.ts";
import type { StepExtra } from "../gymline-extra.ts";
import type { Metrics } from "../schema.ts";
import {
  at,
  field,
  filled,
  has,
  integer,
  integers,
  type JsonRecord,
  label,
  number,
  record,
  records,
} from "./read.ts";

/** The model's reply that an action comes from, as the chat completion API gave it. */
export interface ModelReply {
  readonly id: string | undefined;
  readonly model: string | undefined;
  readonly content: unknown;
  readonly reasoning: string | undefined;
  readonly calls: readonly CallInput[];
  readonly metrics: Metrics;
  readonly signatures: StepExtra["signatures"];
}

/** Reads `tool_call_metadata.model_response`; undefined where it holds no message. */
export function readReply(value: unknown, builder: TrajectoryBuilder): ModelReply | undefined {
  const [choice] = records(field(value, "choices"));
  const message = record(field(choice, "message"));
  if (message === undefined) return undefined;
  return {
    id: label(field(value, "id")),
    model: filled(field(value, "model")),
    content: field(message, "content"),
    reasoning: filled(field(message, "reasoning_content")),
    calls: nativeCalls(field(message, "tool_calls"), builder),
    metrics: replyMetrics(value, choice),
    signatures: thinkingSignatures(message),
  };
}

/** Tool calls in OpenAI form. Entries without a function name are dropped. */
export function nativeCalls(value: unknown, builder: TrajectoryBuilder): readonly CallInput[] {
  const calls: CallInput[] = [];
  for (const call of records(value)) {
    const name = filled(at(call, "function", "name"));
    if (name === undefined) builder.drop("tool_calls[*]", "a tool call without a function name");
    else calls.push({ id: field(call, "id"), name, arguments: at(call, "function", "arguments") });
  }
  return calls;
}

/** Signatures of Anthropic's thinking blocks, which litellm keeps beside the message. */
export function thinkingSignatures(message: JsonRecord): StepExtra["signatures"] {
  const signatures = records(field(message, "thinking_blocks")).flatMap((block) => {
    const value = filled(field(block, "signature"));
    return value === undefined ? [] : [{ kind: "thinking", value, covers: "reasoning_content" }];
  });
  return signatures.length === 0 ? undefined : signatures;
}

function replyMetrics(response: unknown, choice: unknown): Metrics {
  const usage = field(response, "usage");
  const cached =
    integer(at(usage, "prompt_tokens_details", "cached_tokens")) ??
    integer(field(usage, "cache_read_input_tokens"));
  const promptIds = integers(field(response, "prompt_token_ids"));
  const completionIds =
    integers(field(choice, "token_ids")) ?? integers(at(choice, "provider_specific_fields", "token_ids"));
  const logprobs = records(at(choice, "logprobs", "content")).map((entry) => number(field(entry, "logprob")));
  const known = logprobs.filter((value) => value !== undefined);
  return {
    ...defined("prompt_tokens", integer(field(usage, "prompt_tokens"))),
    ...defined("completion_tokens", integer(field(usage, "completion_tokens"))),
    ...defined("cached_tokens", cached),
    ...defined("prompt_token_ids", promptIds),
    ...defined("completion_token_ids", completionIds),
    ...defined("logprobs", known.length > 0 && known.length === logprobs.length ? known : undefined),
  };
}

function defined<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>);
}

/** Totals of a run: `accumulated_cost` and `accumulated_token_usage`, as events and output rows hold them. */
export function applyTotals(value: unknown, builder: TrajectoryBuilder): void {
  if (!has(value, "accumulated_cost") && !has(value, "accumulated_token_usage")) return;
  const usage = field(value, "accumulated_token_usage");
  builder.document.final_metrics = {
    ...defined("total_cost_usd", number(field(value, "accumulated_cost"))),
    ...defined("total_prompt_tokens", integer(field(usage, "prompt_tokens"))),
    ...defined("total_completion_tokens", integer(field(usage, "completion_tokens"))),
    ...defined("total_cached_tokens", integer(field(usage, "cache_read_tokens"))),
  };
}
