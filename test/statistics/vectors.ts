import { readFileSync } from "node:fs";

type Numbers = readonly number[];
interface Tested {
  readonly r: number;
  readonly p: number | null;
}

/** What `make_vectors.py` wrote; null stands for "not defined". */
interface Vectors {
  readonly correlations: readonly {
    readonly x: Numbers;
    readonly y: Numbers;
    readonly pearson: Tested | null;
    readonly fisher90: readonly [number, number] | null;
    readonly spearman: Tested | null;
    readonly kendall: Tested | null;
    readonly agreement: { readonly value: number; readonly error: number | null };
    readonly mae: { readonly value: number; readonly half: number };
  }[];
  readonly kappas: readonly {
    readonly a: Numbers;
    readonly b: Numbers;
    readonly categories: number;
    readonly kappa: Readonly<
      Record<
        "none" | "linear" | "quadratic",
        { readonly value: number | null; readonly error: number | null }
      >
    >;
  }[];
  readonly areas: readonly {
    readonly scores: Numbers;
    readonly positive: readonly boolean[];
    readonly auc: number | null;
    readonly variance: number | null;
  }[];
  readonly probabilities: readonly {
    readonly predicted: Numbers;
    readonly observed: Numbers;
    readonly brier: number;
    readonly logLoss: number;
    readonly ece: Readonly<Record<"equal_width" | "equal_mass", number>>;
  }[];
  readonly spreads: readonly {
    readonly values: Numbers;
    readonly mean: number;
    readonly half: number | null;
    readonly q: number;
    readonly quantile: number;
    readonly median: number;
  }[];
  readonly shares: readonly {
    readonly successes: number;
    readonly n: number;
    readonly low: number;
    readonly high: number;
  }[];
  readonly resampled: readonly {
    readonly values: Numbers;
    readonly value: number;
    readonly replicates: Numbers;
    readonly percentile: readonly [number, number];
    readonly bca: readonly [number, number];
  }[];
  readonly flipped: readonly { readonly values: Numbers; readonly p: number }[];
  readonly alphas: readonly { readonly units: readonly Numbers[]; readonly alpha: number | null }[];
  readonly fits: readonly {
    readonly score: Numbers;
    readonly human: Numbers;
    /** Of the isotonic steps, each once. */
    readonly heights: Numbers;
    /** Slope and intercept. */
    readonly line: readonly [number, number];
    readonly curve: readonly [number, number];
  }[];
  readonly random: readonly { readonly seed: number; readonly words: Numbers }[];
}

export const vectors: Vectors = JSON.parse(readFileSync(new URL("./vectors.json", import.meta.url), "utf8"));

/** How far a value may lie from the other package's: 1e-9, relative where the value is large. */
export function close(actual: number | null, expected: number | null): boolean {
  if (actual === null || expected === null) return actual === expected;
  return Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
}
