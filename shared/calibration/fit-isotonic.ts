import type { CalibratorOf } from "./calibrator.ts";
import type { FitPoint } from "./fit-linear.ts";

interface Block {
  n: number;
  scores: number;
  humans: number;
}

/**
 * The best step function that never falls (pool adjacent violators; Ayer et al. 1955), then smoothed: straight lines
 * between the centres of its steps, each at the mean score of what it pools.
 */
export function fitIsotonic(points: readonly FitPoint[]): CalibratorOf<"isotonic"> {
  const sorted = points.toSorted((a, b) => a.score - b.score);
  const equal: Block[] = [];
  let before: number | undefined;
  for (const { score, human } of sorted) {
    const last = equal.at(-1);
    if (last !== undefined && before === score) add(last, { n: 1, scores: score, humans: human });
    else equal.push({ n: 1, scores: score, humans: human });
    before = score;
  }
  const blocks: Block[] = [];
  for (const block of equal) {
    let pooled = block;
    for (
      let last = blocks.at(-1);
      last !== undefined && height(last) >= height(pooled);
      last = blocks.at(-1)
    ) {
      blocks.pop();
      add(last, pooled);
      pooled = last;
    }
    blocks.push(pooled);
  }
  const knots = blocks.map((block): [number, number] => [unit(block.scores / block.n), unit(height(block))]);
  return { method: "isotonic", parameters: { knots } };
}

function height({ humans, n }: Block): number {
  return humans / n;
}

function add(to: Block, more: Block): void {
  to.n += more.n;
  to.scores += more.scores;
  to.humans += more.humans;
}

/** Sums of numbers in [0, 1] may round past 1. */
function unit(value: number): number {
  return Math.min(1, Math.max(0, value));
}
