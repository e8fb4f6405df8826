import { parseArgs } from "node:util";
import type { SignalCode } from "../../shared/reward/signals/signal.ts";
import { signalCodes } from "../../shared/reward/signals/signal.ts";
import { defaultSignalWeights } from "../../shared/reward/signals/trajectory-signals.ts";
import { aucOf } from "../../shared/statistics/auc.ts";
import { bootstrap } from "../../shared/statistics/bootstrap.ts";
import type { Estimate } from "../../shared/statistics/result.ts";
import { fitWeights } from "./fit-weights.ts";
import { labelledSets } from "./labelled-sets.ts";
import { type ScoredRun, scoreRuns } from "./scored-runs.ts";
import { mean, print, shown } from "./shown.ts";

/**
 * node test/measure/signals.ts [--from .cache/labelled] [--resamples 1000]
 *
 * How well scores that have not seen the outcome tell solved runs from others: AUC per public set with 95 %
 * cluster-bootstrap interval (clusters are tasks), and what choosing the best-scored of several attempts at one
 * task brings over choosing at random.
 */
const { values } = parseArgs({
  options: {
    from: { type: "string", default: ".cache/labelled" },
    resamples: { type: "string", default: "1000" },
  },
});
const resamples = Number(values.resamples);
const runs = await scoreRuns(values.from);
const heldOut = labelledSets.filter((set) => set.heldOut === true).map(({ name }) => name);
const all = [...new Set(runs.map(({ set }) => set))];
const sets = all.filter((set) => !heldOut.includes(set));
type Score = (run: ScoredRun) => number | null;

const blend =
  (weight: number): Score =>
  ({ process, combined }) =>
    process === null || combined === null
      ? (combined ?? process)
      : weight * process + (1 - weight) * combined;
const scores: readonly (readonly [string, Score])[] = [
  ["knowlyr process", ({ compatible }) => compatible],
  ["fewer steps", ({ steps }) => -steps],
  ["process", ({ process }) => process],
  ...signalCodes.map((code): readonly [string, Score] => [code, ({ signals }) => signals[code]]),
  ["signals", ({ combined }) => combined],
  ["signals by agent", ({ byAgent }) => byAgent],
  ["signals by task", ({ byTask }) => byTask],
  ["0.9 signals", blend(0.1)],
  ["0.75 signals", blend(0.25)],
  ["0.5 signals", blend(0.5)],
];

print(["set", "n", "solved", ...scores.map(([name]) => name)].join("\t"));
for (const set of all) {
  const own = runs.filter((run) => run.set === set);
  const solved = own.reduce((sum, { label }) => sum + label, 0);
  print(
    [
      set,
      own.length,
      (solved / own.length).toFixed(3),
      ...scores.map(([, score]) => shown(aucEstimate(own, score))),
    ].join("\t"),
  );
}
print(
  [
    "macro mean (but held out)",
    "",
    "",
    ...scores.map(([, score]) =>
      mean(
        sets.map((set) =>
          aucOfRuns(
            runs.filter((run) => run.set === set),
            score,
          ),
        ),
      ).toFixed(3),
    ),
  ].join("\t"),
);

print("\nbest of n: mean outcome of the best-scored attempt minus that of a random one");
for (const set of sets) {
  const groups = attempts(runs.filter((run) => run.set === set));
  if (groups.length === 0) continue;
  const text = scores
    .filter(([name]) =>
      [
        "knowlyr process",
        "fewer steps",
        "process",
        "signals",
        "signals by agent",
        "signals by task",
        "0.75 signals",
      ].includes(name),
    )
    .map(([name, score]) => `${name} ${shown(bestOfN(groups, score))}`);
  print(`${set}\t${groups.length} tasks\t${text.join("\t")}`);
}
const everywhere = sets.flatMap((set) => attempts(runs.filter((run) => run.set === set)));
for (const [name, score] of scores)
  print(`all sets\t${everywhere.length} tasks\t${name}\t${shown(bestOfN(everywhere, score))}`);

print("\nweights fitted without a set, and what they give on that set");
for (const set of sets) {
  const weights = fitWeights(runs.filter((run) => run.set !== set && !heldOut.includes(run.set)));
  const auc = aucOfRuns(
    runs.filter((run) => run.set === set),
    weighted(weights),
  );
  print(
    `${set}\t${auc.toFixed(3)}\t${signalCodes.map((code) => `${code} ${weights[code].toFixed(2)}`).join(" ")}`,
  );
}
const fitted = fitWeights(runs.filter(({ set }) => !heldOut.includes(set)));
print(`all sets\t\t${signalCodes.map((code) => `${code} ${fitted[code].toFixed(2)}`).join(" ")}`);
print("\nwithout one signal: macro mean");
for (const code of signalCodes) {
  const rest = weighted({ ...defaultSignalWeights, [code]: 0 });
  print(
    `${code}\t${mean(
      sets.map((set) =>
        aucOfRuns(
          runs.filter((run) => run.set === set),
          rest,
        ),
      ),
    ).toFixed(4)}`,
  );
}

function weighted(weights: Readonly<Record<SignalCode, number>>): Score {
  return ({ signals }) => {
    let [sum, total] = [0, 0];
    for (const code of signalCodes) {
      const score = signals[code];
      if (score === null) continue;
      sum += weights[code] * score;
      total += weights[code];
    }
    return total > 0 ? sum / total : null;
  };
}

/** Runs that a score says nothing about stand at the mean of the others. */
function filled(own: readonly ScoredRun[], score: Score): readonly number[] {
  const given = own.map(score);
  const known = given.filter((value) => value !== null);
  const middle = known.length === 0 ? 0 : mean(known);
  return given.map((value) => value ?? middle);
}

function aucOfRuns(own: readonly ScoredRun[], score: Score): number {
  return (
    aucOf(
      filled(own, score),
      own.map(({ label }) => label === 1),
    ) ?? Number.NaN
  );
}

function aucEstimate(own: readonly ScoredRun[], score: Score): Estimate {
  const given = filled(own, score);
  const statistic = (indices: readonly number[]): number | null =>
    aucOf(
      indices.map((i) => given[i] ?? 0),
      indices.map((i) => own[i]?.label === 1),
    );
  return bootstrap(
    { n: own.length, statistic },
    { seed: 1, resamples, method: "percentile", clusters: own.map(({ task }) => task) },
  );
}

function attempts(own: readonly ScoredRun[]): readonly (readonly ScoredRun[])[] {
  const byTask = Map.groupBy(own, ({ task }) => task);
  return [...byTask.values()].filter((group) => group.length > 1);
}

/** Gain over choosing at random; ties share the choice. Tasks are drawn whole, so each is a cluster. */
function bestOfN(groups: readonly (readonly ScoredRun[])[], score: Score): Estimate {
  const gains = groups.map((group) => {
    const given = group.map((run) => score(run) ?? Number.NEGATIVE_INFINITY);
    const best = Math.max(...given);
    const chosen = group.filter((_, i) => given[i] === best);
    return mean(chosen.map(({ label }) => label)) - mean(group.map(({ label }) => label));
  });
  return bootstrap(
    { n: gains.length, statistic: (indices) => mean(indices.map((i) => gains[i] ?? 0)) },
    { seed: 1, resamples, method: "percentile" },
  );
}
