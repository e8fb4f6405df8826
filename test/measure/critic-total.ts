import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { parseRewardConfig } from "../../shared/reward/config.ts";
import { scoreTrajectory } from "../../shared/stages/score-trajectory.ts";
import { aucOf } from "../../shared/statistics/auc.ts";
import { bootstrap } from "../../shared/statistics/bootstrap.ts";
import type { Estimate } from "../../shared/statistics/result.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { labelledSets } from "./labelled-sets.ts";
import { mean, print, shown } from "./shown.ts";

/*
 * What a critic adds to the total of a run whose outcome is hidden:
 *
 *   node test/measure/critic-total.ts <folder> --held <file> [--resamples 1000]
 *
 * <folder> holds canonical documents and labels.jsonl, as fetch.ts writes them; <file> is what critic.py wrote for
 * --held: values of critics that had not seen the group. AUC counts pairs of one set whose values come from the same
 * critic. Intervals are those of a bootstrap that draws whole groups, the same draws for every column.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { held: { type: "string" }, resamples: { type: "string", default: "1000" } },
});
const [folder] = positionals;
if (folder === undefined || values.held === undefined) throw new Error("give a folder and --held <file>");

const labelSchema = z.object({
  file: z.string(),
  set: z.string(),
  group: z.string(),
  task: z.string(),
  label: z.union([z.literal(0), z.literal(1)]),
});
const heldSchema = z.object({ id: z.string(), part: z.int(), values: z.array(z.number()).min(1) });
const lines = (path: string): readonly string[] => readFileSync(path, "utf8").trim().split("\n");

interface Run extends z.infer<typeof labelSchema> {
  readonly part: number;
  /** By weight of the critic; 0 is the total without one. */
  readonly totals: readonly number[];
  readonly critic: number;
}

const weights = [0, 0.1, 0.25, 0.5, 1, 2] as const;
const standard = weights.indexOf(0.5);
const held = new Map(
  lines(values.held).map((line) => {
    const each = heldSchema.parse(JSON.parse(line));
    return [each.id, each] as const;
  }),
);
const runs = lines(join(folder, "labels.jsonl")).map((line) => {
  const label = labelSchema.parse(JSON.parse(line));
  const of = held.get(label.file);
  if (of === undefined) throw new Error(`${values.held} says nothing of ${label.file}; make both anew`);
  const trajectory = JSON.parse(readFileSync(join(folder, label.file), "utf8")) as Trajectory;
  const [initial = 0, ...rest] = of.values;
  const critic = { version: "held", initial, values: rest };
  const totals = weights.map((criticWeight) => {
    const settings = { reward: parseRewardConfig({ criticWeight }) };
    return scoreTrajectory(trajectory, settings, criticWeight === 0 ? {} : { critic }).document.total;
  });
  return { ...label, part: of.part, totals, critic: of.values.at(-1) ?? initial };
});

type Score = (run: Run) => number;
const without: Score = ({ totals }) => totals[0] ?? 0;
const withCritic: Score = ({ totals }) => totals[standard] ?? 0;
const critic: Score = (run) => run.critic;
const added = new Set(labelledSets.filter(({ heldOut }) => heldOut === true).map(({ name }) => name));
const isInterCode = (set: string): boolean => set.startsWith("intercode");
const sets = [...new Set(runs.map(({ set }) => set))];
const selections: readonly (readonly [string, readonly string[]])[] = [
  ...sets.map((set): readonly [string, readonly string[]] => [set, [set]]),
  ["the first seven", sets.filter((set) => !added.has(set))],
  ["the first nine", sets.filter((set) => !added.has(set) || isInterCode(set))],
  ["the six added last", sets.filter((set) => added.has(set) && !isInterCode(set))],
  ["all", sets],
];

print(["sets", "n", "rules", "critic", "total", "total − rules"].join("\t"));
for (const [name, chosen] of selections) {
  const own = runs.filter(({ set }) => chosen.includes(set));
  const macro = (score: Score) => (sample: readonly Run[]) => macroAuc(sample, chosen, score);
  const gain = (sample: readonly Run[]): number =>
    macroAuc(sample, chosen, withCritic) - macroAuc(sample, chosen, without);
  const columns = [macro(without), macro(critic), macro(withCritic), gain];
  print([name, own.length, ...columns.map((statistic) => shown(estimate(own, statistic)))].join("\t"));
}

print("\nby the critic's weight: macro AUC of the total over all sets");
for (const [at, weight] of weights.entries())
  print(`${weight}\t${macroAuc(runs, sets, ({ totals }) => totals[at] ?? 0).toFixed(3)}`);
print("\nweight chosen on the other sets, and what it gives on the set");
const nested = sets.map((set) => {
  const others = sets.filter((other) => other !== set);
  const gains = weights.map((_, at) => macroAuc(runs, others, ({ totals }) => totals[at] ?? 0));
  const best = gains.indexOf(Math.max(...gains));
  const auc = macroAuc(runs, [set], ({ totals }) => totals[best] ?? 0);
  print(`${set}\t${weights[best]}\t${auc.toFixed(3)}`);
  return auc;
});
print(`mean\t\t${mean(nested).toFixed(3)}`);

print("\nbest of n: solved share of the best-scored attempt minus that of a random one");
const attempts = [...Map.groupBy(runs, ({ set, task }) => `${set}/${task}`).values()].filter(
  (group) => group.length > 1,
);
for (const [name, score] of [
  ["rules", without],
  ["critic", critic],
  ["total", withCritic],
] as const) {
  const gains = attempts.map((group) => {
    const best = Math.max(...group.map(score));
    const chosen = group.filter((run) => score(run) === best);
    return mean(chosen.map(({ label }) => label)) - mean(group.map(({ label }) => label));
  });
  const options = { seed: 1, resamples: Number(values.resamples), method: "percentile" } as const;
  const statistic = (indices: readonly number[]): number => mean(indices.map((i) => gains[i] ?? 0));
  print(`${name}\t${attempts.length} tasks\t${shown(bootstrap({ n: gains.length, statistic }, options))}`);
}

function macroAuc(sample: readonly Run[], chosen: readonly string[], score: Score): number {
  const bySet = Map.groupBy(sample, ({ set }) => set);
  const aucs = chosen.map((set) => aucWithin(bySet.get(set) ?? [], score)).filter((auc) => auc !== null);
  return aucs.length === 0 ? Number.NaN : mean(aucs);
}

/** Over pairs whose values come from the same critic. */
function aucWithin(sample: readonly Run[], score: Score): number | null {
  let [ordered, pairs] = [0, 0];
  for (const part of Map.groupBy(sample, (run) => run.part).values()) {
    const outcomes = part.map(({ label }) => label === 1);
    const solved = outcomes.filter(Boolean).length;
    const count = solved * (part.length - solved);
    if (count === 0) continue;
    pairs += count;
    ordered += count * (aucOf(part.map(score), outcomes) ?? 0);
  }
  return pairs === 0 ? null : ordered / pairs;
}

function estimate(own: readonly Run[], of: (sample: readonly Run[]) => number): Estimate {
  const statistic = (indices: readonly number[]): number | null => {
    const value = of(indices.map((i) => own[i]).filter((run) => run !== undefined));
    return Number.isNaN(value) ? null : value;
  };
  const clusters = own.map(({ group }) => group);
  const options = { seed: 1, resamples: Number(values.resamples), method: "percentile", clusters } as const;
  return bootstrap({ n: own.length, statistic }, options);
}
