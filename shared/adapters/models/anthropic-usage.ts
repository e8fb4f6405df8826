import { z } from "zod";
import type { TokenUsage } from "../../ports/chat-model.ts";

const tokens = z.int().nonnegative();

export const anthropicUsageSchema = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_input_tokens: tokens.nullish(),
  cache_creation_input_tokens: tokens.nullish(),
});

export function anthropicUsage(usage: z.infer<typeof anthropicUsageSchema>): TokenUsage {
  return {
    input: usage.input_tokens,
    cacheRead: usage.cache_read_input_tokens ?? 0,
    cacheWrite: usage.cache_creation_input_tokens ?? 0,
    output: usage.output_tokens,
  };
}
