import { z } from "zod";
import { round4 } from "../reward/rounding.ts";
import { proportion } from "../statistics/wilson.ts";
import { type AttemptPair, marginOf, type PairSource } from "./attempt.ts";
import { type BranchPair, branchMargin } from "./branch-tree.ts";
import { LengthTally } from "./length.ts";

const count = z.int().nonnegative();
const counts = z.record(z.string(), count);
const figure = z.number().nullable();

const lengthsSchema = z.strictObject({
  /** Pairs whose chosen attempt is longer, shorter, as long, or of unknown length beside the rejected one. */
  longer: count,
  shorter: count,
  equal: count,
  unknown: count,
  /** Share of the longer ones among the n pairs of known length, with Wilson's 95 % interval; null where n is 0. */
  longer_share: z.strictObject({ n: count, value: figure, low: figure, high: figure }),
});
type LengthFacts = z.infer<typeof lengthsSchema>;

/** What came of making preferences: as many pairs, of what kind, and why there are no more. */
export const preferenceSummarySchema = z.strictObject({
  schema: z.literal("gymline.preferences-summary.v1"),
  strategy: z.enum(["outside-in", "all-pairs", "branches"]),
  pairs: count,
  /** Tasks with a pair, of so many tasks that had attempts. */
  tasks: count,
  tasks_seen: count,
  attempts_seen: count,
  by_source: z.record(z.enum(["reward", "votes", "judge"]), count),
  /** Reward differences, four decimal places; null where there is no pair. */
  margins: z.strictObject({ n: count, mean: figure, min: figure, max: figure }),
  /** Lengths before and after what controls them; null for pairs of steps. */
  lengths: z.strictObject({ before: lengthsSchema, after: lengthsSchema }).nullable(),
  /** Why attempts, tasks and pairs were left out. */
  left_out: z.strictObject({ attempts: counts, tasks: counts, pairs: counts }),
  /** What became of votes. */
  votes: counts,
});
export type PreferenceSummaryDocument = Readonly<z.infer<typeof preferenceSummarySchema>>;

/** Adds up the pairs that were made. */
export class PairTotals {
  readonly lengths = new LengthTally();
  readonly #tasks = new Set<string>();
  readonly #bySource: Record<PairSource, number> = { reward: 0, votes: 0, judge: 0 };
  #sum = 0;
  #n = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  add(task: string, pair: AttemptPair): void {
    this.lengths.add(pair);
    this.#count(task, marginOf(pair), pair.source);
  }

  addBranch(task: string, pair: BranchPair): void {
    this.#count(task, branchMargin(pair), "reward");
  }

  facts(): Pick<PreferenceSummaryDocument, "pairs" | "tasks" | "by_source" | "margins"> {
    const n = this.#n;
    const figureOf = (value: number): number | null => (n === 0 ? null : round4(value));
    return {
      pairs: n,
      tasks: this.#tasks.size,
      by_source: { ...this.#bySource },
      margins: { n, mean: figureOf(this.#sum / n), min: figureOf(this.#min), max: figureOf(this.#max) },
    };
  }

  #count(task: string, margin: number, source: PairSource): void {
    this.#tasks.add(task);
    this.#bySource[source] += 1;
    this.#n += 1;
    this.#sum += margin;
    this.#min = Math.min(this.#min, margin);
    this.#max = Math.max(this.#max, margin);
  }
}

export function lengthFacts({ counts: { longer, shorter, equal, unknown } }: LengthTally): LengthFacts {
  const n = longer + shorter + equal;
  const share = proportion(longer, n);
  if (share.value === null) {
    return { longer, shorter, equal, unknown, longer_share: { n, value: null, low: null, high: null } };
  }
  const { value, interval } = share;
  return {
    longer,
    shorter,
    equal,
    unknown,
    longer_share: { n, value, low: interval.low, high: interval.high },
  };
}
