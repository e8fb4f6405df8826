/** Two samples that a number stands for, as `make_comparisons.py` draws them. */
export interface Design {
  readonly a: readonly number[];
  /** Paired with `a`. */
  readonly b: readonly number[];
  /** The start of `b`: a sample of another size. */
  readonly other: readonly number[];
  readonly successes: { readonly a: readonly boolean[]; readonly b: readonly boolean[] };
}

const SIZES = [3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 20, 30, 50, 51];
const SHIFTS = [0, 0, 0.3, 0.6, 1];
const KINDS = ["plain", "plain", "whole", "halves", "tiny", "offset", "binary"];
const CORRELATIONS = [0, 0.5, 0.9];

/** A linear congruential generator modulo 2^32: its products are exact in any language. Numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = (seed * 40503 + 12345) % 2 ** 32;
  return () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function design(seed: number): Design {
  const draw = generator(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(draw() * items.length)] as T;
  const n = pick(SIZES);
  const shift = pick(SHIFTS);
  const kind = pick(KINDS);
  const rho = pick(CORRELATIONS);
  const shorter = 2 + Math.floor(draw() * (n - 1));
  // The sum of twelve uniform numbers less 6: about normal, without a function that languages round differently.
  const normal = (): number => {
    let total = 0;
    for (let drawn = 0; drawn < 12; drawn += 1) total += draw();
    return total - 6;
  };
  const shaped = (x: number): number => {
    if (kind === "whole") return Math.floor(x + 0.5);
    if (kind === "halves") return Math.floor(2 * x + 0.5) / 2;
    if (kind === "tiny") return x * 2 ** -30;
    if (kind === "offset") return x + 1024;
    return kind === "binary" ? Number(x > 0.5) : x;
  };
  const [a, b]: [number[], number[]] = [[], []];
  const successes: { readonly a: boolean[]; readonly b: boolean[] } = { a: [], b: [] };
  for (let index = 0; index < n; index += 1) {
    const [x, noise] = [normal(), normal()];
    const [first, second] = [x + shift, rho * x + noise];
    a.push(shaped(first));
    b.push(shaped(second));
    successes.a.push(first > 0.25);
    successes.b.push(second > 0.25);
  }
  return { a, b, other: b.slice(0, shorter), successes };
}
