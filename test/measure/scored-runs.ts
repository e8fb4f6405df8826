import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRewardConfig } from "../../shared/reward/config.ts";
import { factSteps } from "../../shared/reward/fact-steps.ts";
import { referenceFor } from "../../shared/reward/references.ts";
import { scoreTrajectoryByRules } from "../../shared/reward/score-rules.ts";
import type { SignalCode } from "../../shared/reward/signals/signal.ts";
import { combineSignals, trajectorySignals } from "../../shared/reward/signals/trajectory-signals.ts";
import { trajectoryFacts } from "../../shared/reward/trajectory-facts.ts";
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
  readonly combined: number | null;
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

/** Scores every run below `folder`, without outcome and by built-in references. */
export async function scoreRuns(folder: string): Promise<readonly ScoredRun[]> {
  const lines = (await readFile(join(folder, "labels.jsonl"), "utf8")).trim().split("\n");
  const runs: ScoredRun[] = [];
  for (const line of lines) runs.push(await scoreRun(folder, JSON.parse(line) as Label));
  return runs;
}

async function scoreRun(folder: string, { file, set, task, group, label }: Label): Promise<ScoredRun> {
  const trajectory = JSON.parse(await readFile(join(folder, file), "utf8")) as Trajectory;
  const profile = profileFor(trajectory, undefined);
  const steps = factSteps(trajectory);
  const facts = trajectoryFacts(steps, profile);
  const reference = referenceFor(null, { taskKey: null, domain: facts.domain, agent: trajectory.agent.name });
  const signals = trajectorySignals({ facts, reference });
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
  };
}
