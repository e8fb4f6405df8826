import { describe, expect, it } from "vitest";
import { parseJudgeConfig } from "../../shared/judge/config.ts";
import { estimateRequests } from "../../shared/judge/estimate.ts";
import { costOf, PRICES_AS_OF, priceOf } from "../../shared/judge/prices.ts";
import { estimateTokens } from "../../shared/judge/tokens.ts";
import type { ChatRequest } from "../../shared/ports/chat-model.ts";

const sonnet = { input: 3, cacheWrite: 3.75, cacheRead: 0.3, output: 15 };

describe("the price of a model", () => {
  it("is known for the default model, and for dated names of known ones", () => {
    expect(priceOf(parseJudgeConfig().model)).toMatchObject({ input: 0.1, output: 0.5, cacheRead: 0.01 });
    expect(priceOf("claude-sonnet-4-5-20250929")).toEqual({ ...sonnet, cacheRead: expect.closeTo(0.3, 12) });
    expect(PRICES_AS_OF.date).toMatch(/^20\d\d-\d\d$/);
    expect(priceOf("claude-opus-5-5")).toMatchObject({ input: 4, cacheRead: 0.2 });
  });

  it("is not guessed from the family, nor for models nobody knows", () => {
    for (const model of [
      "claude-fable-5-2",
      "claude-opus-5-9",
      "claude-opus-50",
      "claude-sonnet-4",
      "gpt-x",
      "",
    ]) {
      expect(priceOf(model)).toBeNull();
    }
  });

  it("may be given, and then the longest start of the name counts", () => {
    const given = { "my-": { ...sonnet, input: 1 }, "my-model": { ...sonnet, input: 2 } };
    expect(priceOf("my-model-7", given)?.input).toBe(2);
    expect(priceOf("my-other", given)?.input).toBe(1);
    expect(priceOf("claude-haiku-5-5", { "claude-": sonnet })?.input).toBe(3);
  });
});

describe("the cost of a call", () => {
  const usage = { input: 1_000_000, cacheWrite: 100_000, cacheRead: 200_000, output: 10_000 };

  it("counts each kind of token at its price, and half of it in a batch", () => {
    // 3 + 0.375 + 0.06 + 0.15
    expect(costOf(usage, sonnet, { batch: false })).toBeCloseTo(3.585, 12);
    expect(costOf(usage, sonnet, { batch: true })).toBeCloseTo(3.585 / 2, 12);
  });

  it("goes by the length of the whole prompt where the price does", () => {
    const haiku = priceOf("claude-haiku-5-5");
    if (haiku === null) throw new Error("no price");
    const short = { input: 50_000, cacheWrite: 0, cacheRead: 50_000, output: 1_000 };
    expect(costOf(short, haiku, { batch: false })).toBeCloseTo(0.005 + 0.0005 + 0.0005, 12);
    expect(costOf({ ...short, input: 50_001 }, haiku, { batch: false })).toBeCloseTo(5 * 0.006 + 5e-7, 9);
  });
});

describe("an estimate", () => {
  const request = (user: string): ChatRequest => ({
    system: "s".repeat(2_700),
    messages: [{ role: "user", content: user }],
    maxTokens: 1_000,
  });

  it("takes a token for 2.7 ASCII characters and for two bytes of others", () => {
    expect(estimateTokens("")).toBe(0);
    expect(estimateTokens("a".repeat(270))).toBe(100);
    expect(estimateTokens("日本")).toBe(3);
  });

  it("counts the fixed part once in full, and from the cache after that, where caching is counted on", () => {
    const requests = ["x".repeat(270), "y".repeat(540)].map((text) => ({
      request: request(text),
      answerTokens: 50,
    }));
    const options = { price: sonnet, batch: false, caching: true };
    const estimate = estimateRequests(requests, options);
    expect(estimate).toMatchObject({
      requests: 2,
      inputTokens: 2_300,
      cachedTokens: 1_000,
      outputTokens: 100,
    });
    expect(estimate.usd).toBeCloseTo((300 * 3 + 1_000 * 3.75 + 1_000 * 0.3 + 100 * 15) / 1e6, 12);
    const without = estimateRequests(requests, { ...options, caching: false });
    expect(without.cachedTokens).toBe(0);
    expect(without.usdAtMost).toBeCloseTo((300 * 3 + 2_000 * 3.75 + 2_000 * 15) / 1e6, 12);
    expect(without.usd).toBeCloseTo((2_300 * 3 + 100 * 15) / 1e6, 12);
  });

  it("has no dollars where there is no price", () => {
    const options = { price: null, batch: true, caching: true };
    expect(estimateRequests([{ request: request("x"), answerTokens: 1 }], options)).toMatchObject({
      requests: 1,
      usd: null,
      usdAtMost: null,
    });
    expect(estimateRequests([], { ...options, price: sonnet })).toEqual({
      requests: 0,
      inputTokens: 0,
      cachedTokens: 0,
      outputTokens: 0,
      usd: 0,
      usdAtMost: 0,
    });
  });
});
