import { pathToFileURL } from "node:url";
import { getDomainProfile } from "../../shared/domains/builtin.ts";
import { parseRewardConfig, type RewardConfig } from "../../shared/reward/config.ts";
import { referenceFor } from "../../shared/reward/references.ts";
import type { RuleCall, RuleStep } from "../../shared/reward/rule-step.ts";
import { scoreTrajectoryByRules } from "../../shared/reward/score-rules.ts";
import { trajectorySignals } from "../../shared/reward/signals/trajectory-signals.ts";
import { trajectoryFacts } from "../../shared/reward/trajectory-facts.ts";
import type { Figure } from "./figure.ts";
import { median } from "./median.ts";

const tokensPerOutput = 100;
const profile = getDomainProfile("coding");

/**
 * Steps that cost the rules most: every target is another one, every output names 100 paths that nothing
 * takes up, and every call is a read, a write or a command in turn.
 */
function worstCase(steps: number, from = 0): readonly RuleStep[] {
  return Array.from({ length: steps }, (_, i) => ({ calls: [worstCall(from + i)] }));
}

function worstCall(i: number): RuleCall {
  const output = Array.from({ length: tokensPerOutput }, (_, k) => `lib/part_${i}/f_${k}.py`).join(" ");
  const file = `/repo/src/module_${i}.py`;
  if (i % 3 === 0) return { tool: "read_file", params: { file_path: file }, output };
  if (i % 3 === 1) {
    return {
      tool: "edit_file",
      params: { file_path: file, old_string: `a${i}`, new_string: `b${i}` },
      output,
    };
  }
  return { tool: "bash", params: { command: `python build.py --target ${i}` }, output };
}

/**
 * Milliseconds of scoring each of the trajectories once. The smaller of wall and processor time counts: on
 * a busy machine wall time holds other programs' turns, and processor time holds helper threads.
 */
function timed(trajectories: readonly (readonly RuleStep[])[], config: RewardConfig): number {
  const cpu = process.cpuUsage();
  const from = performance.now();
  for (const steps of trajectories) {
    scoreTrajectoryByRules({ steps, outcome: { success: true }, profile, config, referenceSteps: 10 });
  }
  const wall = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  return Math.min(wall, (user + system) / 1000);
}

/**
 * Time of the long trajectory over the mean time of ten short ones, timed in turn. The ten hold as much
 * text as the long one, so the ratio shows the algorithm and not the size of the processor's caches.
 */
function growth(shortSteps: number, config: RewardConfig, repeats: number): number {
  const long = [worstCase(shortSteps * 10)];
  const short = Array.from({ length: 10 }, (_, i) => worstCase(shortSteps, i * shortSteps));
  const ratios = Array.from({ length: repeats }, () => (10 * timed(long, config)) / timed(short, config));
  return median(ratios);
}

/** Milliseconds of one trajectory of 30 worst-case steps: rules, signals and composition, as the score stage does it. */
function usualLength(): number {
  const config = parseRewardConfig();
  const runs = Array.from({ length: 200 }, (_, i) => worstCase(30, i * 30));
  const reference = referenceFor(null, { taskKey: null, domain: "coding", agent: "" });
  const round = (): number => {
    const cpu = process.cpuUsage();
    const from = performance.now();
    for (const steps of runs) {
      const signals = trajectorySignals(
        { facts: trajectoryFacts(steps, profile), reference },
        config.signals,
      );
      scoreTrajectoryByRules({ steps, outcome: { success: true }, profile, config, signals, reference });
    }
    const wall = performance.now() - from;
    const { user, system } = process.cpuUsage(cpu);
    return Math.min(wall, (user + system) / 1000) / runs.length;
  };
  for (let i = 0; i < 10; i++) round();
  return median(Array.from({ length: 15 }, round));
}

/** Time of the rule layer and how it grows with the number of steps. Medians, once the code is warm. */
export async function benchRules(): Promise<readonly Figure[]> {
  const usual = usualLength();
  const figures: Figure[] = [
    {
      name: "rules and signals: 30 worst-case steps",
      value: usual,
      unit: "ms",
      goal: "< 1 ms",
      ok: usual < 1,
    },
  ];
  const thousand = [worstCase(1_000)];
  for (const composition of ["mended", "compatible"] as const) {
    const config = parseRewardConfig({ composition });
    for (let i = 0; i < 80; i++) timed(thousand, config);
    const ms = median(Array.from({ length: 31 }, () => timed(thousand, config)));
    figures.push({
      name: `rules (${composition}): 1,000 worst-case steps`,
      value: ms,
      unit: "ms",
      goal: "< 10 ms",
      ok: ms < 10,
    });
    for (const [shortSteps, repeats] of [
      [100, 31],
      [1_000, 9],
    ] as const) {
      const ratio = growth(shortSteps, config, repeats);
      figures.push({
        name: `rules (${composition}): growth from ${shortSteps} to ${shortSteps * 10} steps`,
        value: ratio,
        unit: "×",
        goal: "≤ 12×",
        ok: ratio <= 12,
      });
    }
  }
  return figures;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.table(await benchRules());
}
