import type { ChatRequest } from "../ports/chat-model.ts";
import type { ModelPrice } from "./config.ts";
import { costOf } from "./prices.ts";
import { estimateTokens } from "./tokens.ts";

export interface RequestEstimate {
  readonly requests: number;
  /** All tokens of the prompts, those expected from the provider's cache included. */
  readonly inputTokens: number;
  readonly cachedTokens: number;
  /** Of the answers asked for, a model's own thinking not included. */
  readonly outputTokens: number;
  /** Null where the price of the model is not known. */
  readonly usd: number | null;
  /** With answers as long as they may be, thinking included, and nothing from the cache: what a budget sets aside. */
  readonly usdAtMost: number | null;
}

/** What a request asks for, as far as its price goes. */
export interface EstimatedRequest {
  readonly request: ChatRequest;
  /** Tokens expected of the answer. */
  readonly answerTokens: number;
}

/**
 * What requests will need. With `caching`, every fixed part but the first of its kind is taken to come from the
 * provider's cache; providers promise no hits, least of all in batches.
 */
export function estimateRequests(
  requests: Iterable<EstimatedRequest>,
  options: { readonly price: ModelPrice | null; readonly batch: boolean; readonly caching: boolean },
): RequestEstimate {
  const { price, batch, caching } = options;
  const fixed = new Map<string, number>();
  let count = 0;
  let inputTokens = 0;
  let cachedTokens = 0;
  let outputTokens = 0;
  let usd = 0;
  let usdAtMost = 0;
  for (const { request, answerTokens } of requests) {
    const seen = fixed.get(request.system);
    const system = seen ?? estimateTokens(request.system);
    fixed.set(request.system, system);
    const turns = request.messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);
    const schema = request.schema === undefined ? 0 : estimateTokens(JSON.stringify(request.schema.schema));
    const cacheRead = caching && seen !== undefined ? system : 0;
    const cacheWrite = caching && seen === undefined ? system : 0;
    count += 1;
    inputTokens += system + turns + schema;
    cachedTokens += cacheRead;
    outputTokens += answerTokens;
    if (price === null) continue;
    const input = system + turns + schema - cacheRead - cacheWrite;
    usd += costOf({ input, cacheRead, cacheWrite, output: answerTokens }, price, { batch });
    // Some providers take more for what goes into their cache than for plain input.
    const most = { input: turns + schema, cacheRead: 0, cacheWrite: system, output: request.maxTokens };
    const plain = { ...most, input: system + turns + schema, cacheWrite: 0 };
    usdAtMost += Math.max(costOf(most, price, { batch }), costOf(plain, price, { batch }));
  }
  const tokens = { requests: count, inputTokens, cachedTokens, outputTokens };
  return price === null ? { ...tokens, usd: null, usdAtMost: null } : { ...tokens, usd, usdAtMost };
}
