import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DomainProfile } from "../../shared/domains/profile.ts";
import { parseRewardConfig } from "../../shared/reward/config.ts";
import { factSteps } from "../../shared/reward/fact-steps.ts";
import {
  buildReferences,
  type References,
  referenceFor,
  type SizeRow,
  trajectorySizes,
} from "../../shared/reward/references.ts";
import { scoreTrajectoryByRules } from "../../shared/reward/score-rules.ts";
import type { Signal, SignalCode } from "../../shared/reward/signals/signal.ts";
import { combineSignals, trajectorySignals } from "../../shared/reward/signals/trajectory-signals.ts";
import {
  type FactStep,
  type TrajectoryFacts,
  trajectoryFacts,
} from "../../shared/reward/trajectory-facts.ts";
import { profileFor } from "../../shared/stages/score-trajectory.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";

/** One labelled run with everything a table shows of it; no score has seen the label. */
export interface ScoredRun {
  readonly set: string;
  readonly task: string;
  readonly group: string;
  readonly label: 0 | 1;
  readonly steps: number;
  readonly compatible: number | null;
  readonly process: number | null;
  readonly signals: Readonly<Record<SignalCode, number | null>>;
  /** By built-in references. */
  readonly combined: number | null;
  /** By medians of the runs of the same agent. */
  readonly byAgent: number | null;
  /** By medians of the attempts at the same task, else of the same agent. */
  readonly byTask: number | null;
}

interface Label {
  readonly file: string;
  readonly set: string;
  readonly task: string;
  readonly group: string;
  readonly label: 0 | 1;
}

const mended = parseRewardConfig({});
const compatible = parseRewardConfig({ composition: "compatible" });

/** Scores every run below `folder`, without outcome. */
export async function scoreRuns(folder: string): Promise<readonly ScoredRun[]> {
  const lines = (await readFile(join(folder, "labels.jsonl"), "utf8")).trim().split("\n");
  const labels = lines.map((line) => JSON.parse(line) as Label);
  const rows: SizeRow[] = [];
  for (const label of labels) rows.push(sizesOf((await factsOfRun(folder, label)).facts, label));
  const byTask = buildReferences(rows);
  const byAgent = { ...byTask, tasks: {} };
  const runs: ScoredRun[] = [];
  for (const label of labels) runs.push(await scoreRun({ folder, label, byTask, byAgent }));
  return runs;
}

/** A set is one agent at work, whatever its documents call it. */
function sizesOf(facts: TrajectoryFacts, { set, task }: Label): SizeRow {
  return { taskKey: `${set}/${task}`, agent: set, ...trajectorySizes(facts) };
}

async function factsOfRun(
  folder: string,
  { file }: Label,
): Promise<{
  readonly facts: TrajectoryFacts;
  readonly steps: readonly FactStep[];
  readonly profile: DomainProfile;
}> {
  const trajectory = JSON.parse(await readFile(join(folder, file), "utf8")) as Trajectory;
  const profile = profileFor(trajectory, undefined);
  const steps = factSteps(trajectory);
  return { facts: trajectoryFacts(steps, profile), steps, profile };
}

async function scoreRun(of: {
  readonly folder: string;
  readonly label: Label;
  readonly byTask: References;
  readonly byAgent: References;
}): Promise<ScoredRun> {
  const { set, task, group, label } = of.label;
  const { facts, steps, profile } = await factsOfRun(of.folder, of.label);
  const key = sizesOf(facts, of.label);
  const signalsBy = (references: References | null): readonly Signal[] =>
    trajectorySignals({ facts, reference: referenceFor(references, key) });
  const signals = signalsBy(null);
  const own = { steps, profile };
  return {
    set,
    task,
    group,
    label,
    steps: steps.length,
    compatible: scoreTrajectoryByRules({ ...own, config: compatible }).process,
    process: scoreTrajectoryByRules({ ...own, config: mended }).process,
    signals: Object.fromEntries(signals.map(({ code, score }) => [code, score])) as ScoredRun["signals"],
    combined: combineSignals(signals),
    byAgent: combineSignals(signalsBy(of.byAgent)),
    byTask: combineSignals(signalsBy(of.byTask)),
  };
}
