import type { Metrics } from "../schema.ts";
import {
  at,
  count,
  field,
  integers,
  type JsonRecord,
  number,
  numbers,
  record,
  records,
  rest,
} from "./read.ts";

const USAGE_KEYS = [
  "prompt_tokens",
  "completion_tokens",
  "input_tokens",
  "output_tokens",
  "total_tokens",
  ...["input", "output", "cacheRead", "totalTokens"],
  "prompt_cache_hit_tokens",
  "prompt_cache_miss_tokens",
];

/**
 * Token usage as providers report it. OpenAI-style counts include cached prompt tokens; Anthropic's
 * `input_tokens` does not, so what was read from and written to the cache is added.
 */
export function usageMetrics(usage: unknown): Metrics {
  const source = record(usage);
  if (source === undefined) return {};
  const cached =
    count(at(source, "prompt_tokens_details", "cached_tokens")) ??
    count(at(source, "input_tokens_details", "cached_tokens")) ??
    count(field(source, "cache_read_input_tokens")) ??
    count(field(source, "prompt_cache_hit_tokens")) ??
    count(field(source, "cacheRead"));
  const prompt = count(field(source, "prompt_tokens")) ?? inputTokens(source);
  const completion =
    count(field(source, "completion_tokens")) ??
    count(field(source, "output_tokens")) ??
    count(field(source, "output"));
  const { kept } = rest(source, USAGE_KEYS);
  const details = Object.entries(kept).filter(([, value]) => !isEmptyCount(value));
  return {
    ...(prompt === undefined ? {} : { prompt_tokens: prompt }),
    ...(completion === undefined ? {} : { completion_tokens: completion }),
    ...(cached === undefined ? {} : { cached_tokens: cached }),
    ...(details.length === 0 ? {} : { extra: Object.fromEntries(details) }),
  };
}

function inputTokens(source: JsonRecord): number | undefined {
  const plain = count(field(source, "input_tokens")) ?? count(field(source, "input"));
  if (plain === undefined || record(field(source, "input_tokens_details")) !== undefined) return plain;
  const read = count(field(source, "cache_read_input_tokens")) ?? count(field(source, "cacheRead")) ?? 0;
  const written =
    count(field(source, "cache_creation_input_tokens")) ?? count(field(source, "cacheWrite")) ?? 0;
  return plain + read + written;
}

/** Zero, null, or an object of nothing else: says nothing. */
function isEmptyCount(value: unknown): boolean {
  if (value === 0 || value === null) return true;
  const inner = record(value);
  return inner !== undefined && Object.values(inner).every((item) => item === 0 || item === null);
}

/** Token ids and log-probs as inference servers add them to a message or choice. */
export function tokenMetrics(...sources: readonly (JsonRecord | undefined)[]): Metrics {
  const metrics: Metrics = {};
  for (const source of sources) {
    const prompt = integers(field(source, "prompt_token_ids"));
    const completion =
      integers(field(source, "completion_token_ids")) ?? integers(field(source, "token_ids"));
    const logprobs = readLogprobs(field(source, "logprobs"));
    if (prompt !== undefined) metrics.prompt_token_ids ??= prompt;
    if (completion !== undefined) metrics.completion_token_ids ??= completion;
    if (logprobs !== undefined) metrics.logprobs ??= logprobs;
  }
  return metrics;
}

/** A list of numbers, or OpenAI's `{content: [{token, logprob}]}`. */
function readLogprobs(value: unknown): number[] | undefined {
  const plain = numbers(value) ?? numbers(field(value, "token_logprobs"));
  if (plain !== undefined) return plain;
  const entries = records(field(value, "content"));
  const found = entries.map((entry) => number(field(entry, "logprob")));
  return found.length > 0 && found.every((item) => item !== undefined) ? found : undefined;
}
