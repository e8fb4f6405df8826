import type { Reference } from "../references.ts";
import type { TrajectoryFacts } from "../trajectory-facts.ts";

/** Names of the signals, in the order in which they are given. */
export const signalCodes = [
  "efficiency",
  "verbosity",
  "closing_words",
  "ending",
  "refused_replies",
  "no_change",
  "leftover_files",
  "rejected_edits",
  "failing_calls",
  "last_result",
  "thrash",
] as const;
export type SignalCode = (typeof signalCodes)[number];

/** What one signal says of one trajectory. */
export interface Signal {
  readonly code: SignalCode;
  /** In [0, 1], 1 for what runs that end well look like; null where the signal does not apply. */
  readonly score: number | null;
  /** Share in the combined score, relative to the others that apply; 0 if switched off. */
  readonly weight: number;
  /** Names steps (from 0) and counts, never what stands in them. "" where it does not apply. */
  readonly message: string;
}

export interface SignalInput {
  readonly facts: TrajectoryFacts;
  readonly reference: Reference;
}

export interface Verdict {
  readonly score: number;
  readonly message: string;
}

/** Looks at the facts; null where the signal does not apply. */
export type SignalRule = (input: SignalInput) => Verdict | null;

/** Smoothly falling from 1 (nothing) over 0.5 (as much as the reference) to 0; keeps the order of sizes. */
export function falling(size: number, reference: number): number {
  return reference > 0 ? reference / (reference + Math.max(0, size)) : 0.5;
}

/** "step 3", "steps 3, 5 and 4 more": where it was, for a person to look. */
export function stepsText(steps: readonly number[]): string {
  const distinct = [...new Set(steps)];
  const shown = distinct.slice(0, 5).join(", ");
  const more = distinct.length - 5;
  return `step${distinct.length === 1 ? "" : "s"} ${shown}${more > 0 ? ` and ${more} more` : ""}`;
}
