import { readFileSync } from "node:fs";

type Numbers = readonly number[];
/** p-values in the order of `testsOf`. */
type Ps = readonly (number | null)[];
type Adjusted = readonly number[];

interface Detailed {
  readonly greater: Ps;
  readonly less: Ps;
  /** Statistic, degrees of freedom, interval. */
  readonly welch: Numbers | null;
  readonly student: Numbers | null;
  readonly paired: Numbers | null;
  readonly u: number | null;
  readonly w: number | null;
  readonly midP: number;
  /** Statistic and p-value, then both with the correction. */
  readonly chiSquare: Numbers | null;
  readonly z: number | null;
  readonly newcombe: Numbers;
  readonly newcombePaired: Numbers;
}

/** What `make_comparisons.py` wrote; null stands for "not defined". */
interface Comparisons {
  /** By the number of the design; the first ones in detail. */
  readonly designs: readonly ({ readonly p: Ps } & Partial<Detailed>)[];
  readonly effects: readonly {
    readonly a: Numbers;
    readonly b: Numbers;
    /** Paired with a. */
    readonly c: Numbers;
    readonly level: number;
    /** Value and interval. */
    readonly d: Numbers;
    readonly dz: Numbers;
    readonly g: number;
  }[];
  readonly powers: readonly {
    readonly alpha: number;
    readonly alternative: "two_sided" | "greater" | "less";
    readonly effect: number;
    readonly sizes: readonly [number, number];
    readonly paired: number | null;
    readonly groups: number;
    readonly rates: readonly [number, number];
    readonly proportions: number;
    readonly mcnemar: {
      readonly onlyA: number;
      readonly onlyB: number;
      readonly n: number;
      readonly power: number;
    };
    readonly needed: { readonly paired: number; readonly groups: number } | null;
  }[];
  readonly families: readonly {
    readonly values: Numbers;
    readonly bonferroni: Adjusted;
    readonly holm: Adjusted;
    readonly benjaminiHochberg: Adjusted;
  }[];
  readonly attempts: readonly {
    readonly attempts: number;
    readonly successes: number;
    readonly k: number;
    readonly value: number;
  }[];
}

export const comparisons: Comparisons = JSON.parse(
  readFileSync(new URL("./comparisons.json", import.meta.url), "utf8"),
);

/** A detailed design, or null of the others. */
export function detailed(one: Comparisons["designs"][number]): Detailed | null {
  return one.greater === undefined ? null : (one as Detailed);
}
