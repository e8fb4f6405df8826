import type { TokenUsage } from "../ports/chat-model.ts";
import type { ModelPrice } from "./config.ts";

/** When the prices were looked up, and where. */
export const PRICES_AS_OF = {
  date: "2026-11",
  page: "Claude Developer Platform documentation: Pricing, and the models' overview pages",
} as const;

/** What providers of batches take of the price of all tokens. */
const BATCH_FACTOR = 0.5;
const MILLION = 1_000_000;

const price = (input: number, output: number, cacheRead = input / 10): ModelPrice => ({
  input,
  cacheWrite: input * 1.25,
  cacheRead,
  output,
});

/** Models whose price could not be looked up are not here, newer ones of a family among them. */
const KNOWN: Readonly<Record<string, ModelPrice>> = {
  "claude-haiku-5-5": { ...price(0.1, 0.5), longPrompt: { above: 100_000, ...price(0.5, 2.5) } },
  "claude-haiku-4-5": price(1, 5),
  "claude-sonnet-5-5": price(2, 10, 0.1),
  "claude-sonnet-5": price(2, 10),
  "claude-sonnet-4-6": price(3, 15),
  "claude-sonnet-4-5": price(3, 15),
  "claude-opus-5-5": price(4, 20, 0.2),
  "claude-opus-5": price(5, 25),
  "claude-opus-4-8": price(5, 25),
  "claude-opus-4-7": price(5, 25),
  "claude-opus-4-6": price(5, 25),
  "claude-opus-4-5": price(5, 25),
  "claude-fable-5-1": price(10, 50, 0.25),
  "claude-fable-5": price(10, 50),
};

/** What may follow a known name in the name of the same model. */
const DATED = /^(?:-\d{8}|-latest)?$/;

/**
 * The price of a model: the given price whose name is the longest start of the model's, else the known one of this very
 * model, dated or not; null where there is none, for a price is never guessed.
 */
export function priceOf(model: string, given: Readonly<Record<string, ModelPrice>> = {}): ModelPrice | null {
  const [longest] = Object.keys(given)
    .filter((name) => model.startsWith(name))
    .sort((left, right) => right.length - left.length);
  if (longest !== undefined) return given[longest] ?? null;
  const known = Object.keys(KNOWN).find(
    (name) => model.startsWith(name) && DATED.test(model.slice(name.length)),
  );
  return known === undefined ? null : (KNOWN[known] ?? null);
}

/** US dollars of one call. Prices that depend on the length of the prompt go by the whole of it, as providers do. */
export function costOf(usage: TokenUsage, price: ModelPrice, options: { readonly batch: boolean }): number {
  const prompt = usage.input + usage.cacheRead + usage.cacheWrite;
  const { longPrompt } = price;
  const rate = longPrompt !== undefined && prompt > longPrompt.above ? longPrompt : price;
  const usd =
    usage.input * rate.input +
    usage.cacheWrite * rate.cacheWrite +
    usage.cacheRead * rate.cacheRead +
    usage.output * rate.output;
  return (usd / MILLION) * (options.batch ? BATCH_FACTOR : 1);
}
