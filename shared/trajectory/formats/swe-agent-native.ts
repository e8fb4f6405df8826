import { decodeJson } from "../depth.ts";
import type { Metrics } from "../schema.ts";
import { callSignatures } from "./chat-calls.ts";
import { readThinking, type Signature } from "./chat-content.ts";
import { tokenMetrics, usageMetrics } from "./chat-metrics.ts";
import { field, filled, type JsonRecord, list, number, record, records } from "./read.ts";

/** A list, or the list that a JSON text holds (data sets store messages either way). */
export function listOrJson(value: unknown): readonly unknown[] | undefined {
  return list(value) ?? list(decodeJson(value));
}

interface Thinking {
  readonly reasoning: string;
  readonly signatures: Signature[];
}

/** Reasoning of a chat message: Anthropic `thinking_blocks`, else `reasoning_content` or `reasoning`; with its signatures. */
export function thinking(message: JsonRecord): Thinking {
  const provider = field(message, "provider_specific_fields");
  const own = records(field(message, "thinking_blocks"));
  const blocks = (own.length > 0 ? own : records(field(provider, "thinking_blocks"))).map(readThinking);
  const thoughts = blocks.flatMap(({ thought }) => (thought === undefined ? [] : [thought]));
  const reasoning =
    thoughts.length > 0
      ? thoughts.join("\n\n")
      : (filled(field(message, "reasoning_content")) ??
        filled(field(provider, "reasoning_content")) ??
        filled(field(message, "reasoning")) ??
        "");
  return {
    reasoning,
    signatures: [...blocks.flatMap(({ signatures }) => signatures), ...callSignatures(message)],
  };
}

/** Token counts, token ids and log-probs of a chat-completions or responses answer, and its cost in USD. */
export function responseMetrics(response: unknown, cost: unknown): Metrics {
  const choice = records(field(response, "choices"))[0];
  const usd = number(cost);
  return {
    ...usageMetrics(field(response, "usage")),
    ...(usd === undefined ? {} : { cost_usd: usd }),
    ...tokenMetrics(choice, record(field(choice, "provider_specific_fields")), record(response)),
  };
}

/** Text that is a diff, as a submission usually is (in a capture-the-flag task it is the flag). */
export function isDiff(submission: string): boolean {
  return /^(?:diff --git |--- |Index: )/m.test(submission.slice(0, 10_000));
}
