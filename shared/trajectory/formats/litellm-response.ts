import type { TrajectoryBuilder } from "../builder.ts";
import type { Metrics } from "../schema.ts";
import { tokenMetrics, usageMetrics } from "./chat-metrics.ts";
import type { ChatTurns } from "./chat-turns.ts";
import { field, filled, type JsonRecord, label, list, number, record, records, text } from "./read.ts";

/** What a proxy logs beside the request's messages. */
export const RESPONSE_KEYS = [
  ...["response", "raw_response", "raw_messages", "cost", "response_cost", "timestamp", "latency_sec"],
];

/** The message of a chat completion, or of an Anthropic response (which is the message itself). */
export function responseMessage(response: unknown): JsonRecord | undefined {
  const choice = records(field(response, "choices"))[0];
  const message = record(field(choice, "message"));
  if (message !== undefined) return message;
  return list(field(response, "content")) !== undefined ? record(response) : undefined;
}

/**
 * Adds a logged response as the last agent step. Where the model answered in text and the proxy parsed the calls
 * out of it, `raw_response` holds what the model wrote: that is the message, and the calls are `from: "text"`.
 */
export function addResponse(row: JsonRecord, turns: ChatTurns, builder: TrajectoryBuilder): void {
  const response = record(field(row, "response"));
  const parsed = responseMessage(response);
  if (response === undefined || parsed === undefined) return;
  const raw = responseMessage(field(row, "raw_response"));
  const wroteText = raw !== undefined && !hasCalls(raw) && hasCalls(parsed);
  const choices = records(field(response, "choices"));
  const [choice] = choices;
  if (choices.length > 1) {
    builder.drop(
      "$.response.choices[*]",
      "an alternative answer that the agent did not go on with",
      choices.length - 1,
    );
  }
  const native = Object.fromEntries(
    [
      ["finish_reason", text(field(choice, "finish_reason")) ?? text(field(response, "stop_reason"))],
      ["response_id", label(field(response, "id"))],
      ["system_fingerprint", filled(field(response, "system_fingerprint"))],
    ].filter(([, value]) => value !== undefined),
  );
  const model = filled(field(response, "model"));
  if (model !== undefined) builder.agentInfo.model_name ??= model;
  const message = wroteText ? raw : messageOnly(parsed);
  turns.add(
    { ...message, role: "assistant" },
    {
      path: "$.response.choices[0].message",
      ...(wroteText ? { twin: parsed } : {}),
      metrics: responseMetrics(row, response, choice),
      native,
      model,
      timestamp: field(row, "timestamp") ?? field(response, "created") ?? field(response, "created_at"),
    },
  );
  if (field(row, "raw_response") !== undefined) {
    builder.drop("$.raw_response", "what it says beyond the response is carried in the last message");
  }
}

function hasCalls(message: JsonRecord): boolean {
  return (
    records(field(message, "tool_calls")).length > 0 || record(field(message, "function_call")) !== undefined
  );
}

/** An Anthropic response is message and envelope in one. */
function messageOnly(message: JsonRecord): JsonRecord {
  const envelope = ["usage", "model", "id", "type", "stop_reason", "stop_sequence", "role"];
  if (list(field(message, "content")) === undefined) return message;
  return Object.fromEntries(Object.entries(message).filter(([key]) => !envelope.includes(key)));
}

function responseMetrics(row: JsonRecord, response: JsonRecord, choice: JsonRecord | undefined): Metrics {
  const usage = usageMetrics(field(response, "usage") ?? field(row, "usage"));
  const cost = number(field(row, "cost")) ?? number(field(row, "response_cost"));
  const latency = number(field(row, "latency_sec"));
  return {
    ...usage,
    ...tokenMetrics(choice, response),
    ...(cost === undefined ? {} : { cost_usd: cost }),
    ...(latency === undefined ? {} : { extra: { ...usage.extra, latency_sec: latency } }),
  };
}
