import { z } from "zod";
import type { TokenUsage } from "../../ports/chat-model.ts";

const tokens = z.int().nonnegative();

export const openAiUsageSchema = z.object({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  prompt_tokens_details: z.object({ cached_tokens: tokens.nullish() }).nullish(),
  // Moonshot's place for it.
  cached_tokens: tokens.nullish(),
});

/** A server that tells no usage is taken to have used nothing. */
export function openAiUsage(usage: z.infer<typeof openAiUsageSchema> | null | undefined): TokenUsage {
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? usage?.cached_tokens ?? 0;
  return {
    input: Math.max(0, (usage?.prompt_tokens ?? 0) - cached),
    cacheRead: cached,
    cacheWrite: 0,
    output: usage?.completion_tokens ?? 0,
  };
}
