import type { CriticStep } from "./critic-step.ts";

/** Some features that belong together. Knows the steps added so far and nothing else. */
export interface FeatureGroup {
  readonly add: (step: CriticStep) => void;
  /** One finite number for each name, in order. Costs the same however many steps there are. */
  readonly values: () => readonly number[];
}

/**
 * `up`: more of it never lowers P(success) in a critic; `down`: it never raises it. Stated from what the feature means,
 * so that little data cannot turn it round; features without a direction are free.
 */
export type Direction = "up" | "down";

/**
 * `relative`: grows with the run, and how long runs are depends on the agent. Training takes it as the difference from
 * the median of runs of the same set.
 */
export type Feature = readonly [
  name: string,
  meaning: string,
  direction?: Direction | undefined,
  relative?: "relative",
];

/** A group with its features. */
export interface FeatureGroupSpec {
  readonly features: readonly Feature[];
  /** @param asked what the agent was asked before its first step */
  readonly create: (asked: string) => FeatureGroup;
}

/** Counts and lengths: ln(1 + x). */
export function logOf(count: number): number {
  return Math.log1p(Math.max(0, count));
}

/** part ÷ whole; 0 where there is no whole. */
export function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

export function flag(value: boolean): number {
  return value ? 1 : 0;
}

/** Mean of the last few numbers; 0 before there are any. */
export class RecentMean {
  readonly #kept: number[] = [];
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  add(value: number): void {
    this.#kept.push(value);
    if (this.#kept.length > this.#size) this.#kept.shift();
  }

  mean(): number {
    return share(
      this.#kept.reduce((sum, each) => sum + each, 0),
      this.#kept.length,
    );
  }
}

/** How many times in a row something has been so, now and at most. */
export class Streak {
  now = 0;
  longest = 0;

  add(isSo: boolean): void {
    this.now = isSo ? this.now + 1 : 0;
    this.longest = Math.max(this.longest, this.now);
  }
}
