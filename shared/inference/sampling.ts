import { InferenceError } from "../ports/causal-model.ts";
import type { Random } from "../statistics/random.ts";

/** How the next token is chosen. */
export interface Sampling {
  /** 0: always the likeliest (of equals the first). */
  readonly temperature: number;
  /** Only the so many likeliest, and those that equal the last of them; absent or 0: all. */
  readonly topK?: number;
  /** Of these only the likeliest that together reach this share, in (0, 1]; absent: all. */
  readonly topP?: number;
}

/**
 * `logprob`: natural logarithm of the token's probability under the model at the temperature in use (at 1 where it is 0),
 * before topK and topP take tokens away: what TRL computes from the same model when it trains on the token.
 */
export interface Sampled {
  readonly token: number;
  readonly logprob: number;
}

/** @throws RangeError */
export function checkSampling({ temperature, topK = 0, topP = 1 }: Sampling): void {
  if (!(temperature >= 0 && Number.isFinite(temperature))) {
    throw new RangeError(`the temperature must be 0 or more, not ${temperature}`);
  }
  if (!(Number.isInteger(topK) && topK >= 0)) {
    throw new RangeError(`top-k must be a whole number from 0 (all tokens) on, not ${topK}`);
  }
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`top-p must be above 0 and at most 1, not ${topP}`);
}

/**
 * One token by its logits. Temperature first, then topK, then topP of what is left, as Hugging Face transformers does it.
 * @throws InferenceError where the logits are no numbers
 */
export function sampleToken(logits: Float32Array, sampling: Sampling, random: Random): Sampled {
  const { temperature } = sampling;
  const best = likeliest(logits);
  const most = logits[best] ?? Number.NaN;
  const divisor = temperature === 0 ? 1 : temperature;
  let total = 0;
  const weights = new Float64Array(logits.length);
  for (let token = 0; token < logits.length; token += 1) {
    const weight = Math.exp(((logits[token] ?? 0) - most) / divisor);
    weights[token] = weight;
    total += weight;
  }
  const token = temperature === 0 ? best : drawn({ logits, weights, total, sampling, random });
  return { token, logprob: ((logits[token] ?? 0) - most) / divisor - Math.log(total) };
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length; token += 1) {
    const logit = logits[token] ?? 0;
    if (logit > most) [best, most] = [token, logit];
    else if (Number.isNaN(logit)) {
      throw new InferenceError(`the logit of token ${token} is not a number`);
    }
  }
  if (Number.isFinite(most)) return best;
  throw new InferenceError(`the largest of ${logits.length} logits is ${most}, not a number`);
}

interface Draw {
  readonly logits: Float32Array;
  /** Not normalised. */
  readonly weights: Float64Array;
  readonly total: number;
  readonly sampling: Sampling;
  readonly random: Random;
}

function drawn({ logits, weights, total, sampling, random }: Draw): number {
  const { topK = 0, topP = 1 } = sampling;
  let kept: readonly number[] | undefined;
  if (topK > 0 && topK < logits.length) {
    const least = logits.slice().sort()[logits.length - topK] ?? Number.NEGATIVE_INFINITY;
    kept = tokensWhere(logits.length, (token) => (logits[token] ?? 0) >= least);
  }
  if (topP < 1) kept = nucleus({ weights, total, topP, kept });
  if (kept === undefined) return pick(logits.length, { at: (token) => token, weights, total, random });
  const tokens = kept;
  const sum = tokens.reduce((all, token) => all + (weights[token] ?? 0), 0);
  return pick(tokens.length, { at: (index) => tokens[index] ?? 0, weights, total: sum, random });
}

function tokensWhere(count: number, holds: (token: number) => boolean): readonly number[] {
  const tokens: number[] = [];
  for (let token = 0; token < count; token += 1) if (holds(token)) tokens.push(token);
  return tokens;
}

/** The fewest tokens that reach `topP` together (Holtzman et al., "The curious case of neural text degeneration", 2020). */
function nucleus(of: {
  readonly weights: Float64Array;
  readonly total: number;
  readonly topP: number;
  readonly kept: readonly number[] | undefined;
}): readonly number[] {
  const { weights, topP } = of;
  const weight = (token: number): number => weights[token] ?? 0;
  const sum = of.kept?.reduce((all, token) => all + weight(token), 0) ?? of.total;
  const count = of.kept?.length ?? weights.length;
  // Those below an equal share of what may go cannot be needed, and a whole vocabulary takes long to sort.
  const least = ((1 - topP) / count) * sum;
  const able = of.kept?.filter((token) => weight(token) >= least);
  const sorted = (able ?? tokensWhere(weights.length, (token) => weight(token) >= least)).toSorted(
    (a, b) => weight(b) - weight(a) || a - b,
  );
  let reached = 0;
  const needed = sorted.findIndex((token) => {
    reached += weight(token);
    return reached >= topP * sum;
  });
  return needed < 0 ? sorted : sorted.slice(0, needed + 1);
}

function pick(
  count: number,
  from: {
    readonly at: (index: number) => number;
    readonly weights: Float64Array;
    readonly total: number;
    readonly random: Random;
  },
): number {
  let left = from.random.float() * from.total;
  let last = from.at(0);
  for (let index = 0; index < count; index += 1) {
    const token = from.at(index);
    const weight = from.weights[token] ?? 0;
    if (weight === 0) continue;
    left -= weight;
    last = token;
    if (left < 0) break;
  }
  return last;
}
