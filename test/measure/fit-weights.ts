import { type SignalCode, signalCodes } from "../../shared/reward/signals/signal.ts";
import type { ScoredRun } from "./scored-runs.ts";

/**
 * Logistic coefficients of the signals with an intercept for each set and a ridge penalty, not below 0, by
 * gradient descent. Every set counts the same. A signal that does not apply stands at its set's mean.
 */
export function fitWeights(runs: readonly ScoredRun[]): Readonly<Record<SignalCode, number>> {
  const sets = [...Map.groupBy(runs, ({ set }) => set).values()];
  const rows = sets.flatMap((own, index) => {
    const middles = signalCodes.map((code) => {
      const known = own.map(({ signals }) => signals[code]).filter((value) => value !== null);
      return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
    });
    return own.map(({ signals, label }) => ({
      set: index,
      weight: 1 / own.length,
      label,
      x: signalCodes.map((code, i) => {
        const value = signals[code];
        return value === null || middles[i] === null ? 0 : value - (middles[i] ?? 0);
      }),
    }));
  });
  const weights = signalCodes.map(() => 0.5);
  const intercepts = sets.map(() => 0);
  for (let round = 0; round < 1500; round++) {
    const gradient = weights.map((value) => (0.02 * value) / 1);
    const shift = intercepts.map(() => 0);
    for (const { set, weight, label, x } of rows) {
      const z = x.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), intercepts[set] ?? 0);
      const error = (weight / sets.length) * (1 / (1 + Math.exp(-z)) - label);
      x.forEach((value, i) => {
        gradient[i] = (gradient[i] ?? 0) + error * value;
      });
      shift[set] = (shift[set] ?? 0) + error;
    }
    weights.forEach((value, i) => {
      weights[i] = Math.max(0, value - 2 * (gradient[i] ?? 0));
    });
    intercepts.forEach((value, i) => {
      intercepts[i] = value - 2 * sets.length * (shift[i] ?? 0) * 0.5;
    });
  }
  return Object.fromEntries(signalCodes.map((code, i) => [code, weights[i] ?? 0])) as Record<
    SignalCode,
    number
  >;
}
