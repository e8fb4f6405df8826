import { z } from "zod";
import { closingWords, efficiency, verbosity } from "./effort.ts";
import { ending, lastResult, refusedReplies } from "./ending.ts";
import { failingCalls, rejectedEdits, thrash } from "./failures.ts";
import { type Signal, type SignalCode, type SignalInput, type SignalRule, signalCodes } from "./signal.ts";
import { leftoverFiles, noChange } from "./work-left.ts";

const rules: Readonly<Record<SignalCode, SignalRule>> = {
  efficiency,
  verbosity,
  closing_words: closingWords,
  ending,
  refused_replies: refusedReplies,
  no_change: noChange,
  leftover_files: leftoverFiles,
  rejected_edits: rejectedEdits,
  failing_calls: failingCalls,
  last_result: lastResult,
  thrash,
};

/** How much each signal counts; docs/SIGNALS.md says why. */
export const defaultSignalWeights: Readonly<Record<SignalCode, number>> = {
  efficiency: 2,
  verbosity: 4,
  closing_words: 2,
  ending: 2,
  refused_replies: 1,
  no_change: 2,
  leftover_files: 0,
  rejected_edits: 1,
  failing_calls: 1,
  last_result: 1,
  thrash: 1,
};

const codeSchema = z.enum(signalCodes);

/** Which signals count, and how much. */
export const signalsConfigSchema = z.strictObject({
  /** Signals that do not count. */
  off: z.array(codeSchema).default([]),
  /** Weights in place of the default ones; 0 switches a signal off. */
  weights: z.partialRecord(codeSchema, z.number().min(0).max(100)).default({}),
});
export type SignalsConfig = Readonly<z.infer<typeof signalsConfigSchema>>;

/** What all signals say of a trajectory, those that do not apply or are switched off included. Pure and linear. */
export function trajectorySignals(
  input: SignalInput,
  config: SignalsConfig = { off: [], weights: {} },
): readonly Signal[] {
  return signalCodes.map((code) => {
    const weight = config.off.includes(code) ? 0 : (config.weights[code] ?? defaultSignalWeights[code]);
    const verdict = rules[code](input);
    return {
      code,
      score: verdict === null ? null : Math.min(1, Math.max(0, verdict.score)),
      weight,
      message: verdict?.message ?? "",
    };
  });
}

/** Weighted mean over the signals that apply; null where none does. */
export function combineSignals(signals: readonly Pick<Signal, "score" | "weight">[]): number | null {
  let sum = 0;
  let total = 0;
  for (const { score, weight } of signals) {
    if (score === null) continue;
    sum += weight * score;
    total += weight;
  }
  return total > 0 ? sum / total : null;
}
