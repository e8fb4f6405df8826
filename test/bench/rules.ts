import { pathToFileURL } from "node:url";
import { getDomainProfile } from "../../shared/domains/builtin.ts";
import { parseRewardConfig } from "../../shared/reward/config.ts";
import type { RuleCall, RuleStep } from "../../shared/reward/rule-step.ts";
import { scoreTrajectoryByRules } from "../../shared/reward/score-rules.ts";

export interface BenchFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly ok?: boolean;
}

const tokensPerOutput = 100;
const profile = getDomainProfile("coding");

/**
 * Steps that cost the rules most: every target is another one, every output names 100 paths that nothing
 * takes up, and every call is a write, a read or a command in turn.
 */
function worstCase(steps: number): readonly RuleStep[] {
  return Array.from({ length: steps }, (_, i) => ({ calls: [worstCall(i)] }));
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
 * Median milliseconds of scoring `steps` once the code is warm. The smaller of wall and processor time counts:
 * on a busy machine wall time holds other programs' turns, and processor time holds helper threads.
 */
function medianMs(steps: readonly RuleStep[], composition: "mended" | "compatible", repeats: number): number {
  const config = parseRewardConfig({ composition });
  const times: number[] = [];
  for (let i = 0; i < repeats + 3; i++) {
    const cpu = process.cpuUsage();
    const from = performance.now();
    scoreTrajectoryByRules({ steps, outcome: { success: true }, profile, config, referenceSteps: 10 });
    const wall = performance.now() - from;
    const { user, system } = process.cpuUsage(cpu);
    if (i >= 3) times.push(Math.min(wall, (user + system) / 1000));
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

/** Time of the rule layer and how it grows with the number of steps. */
export async function benchRules(): Promise<readonly BenchFigure[]> {
  const figures: BenchFigure[] = [];
  const sets = [100, 1_000, 10_000].map((count) => worstCase(count));
  for (const composition of ["mended", "compatible"] as const) {
    const [hundred = 0, thousand = 0, tenThousand = 0] = sets.map((steps) =>
      medianMs(steps, composition, steps.length > 5_000 ? 9 : 31),
    );
    figures.push(
      {
        name: `rules (${composition}): 1,000 worst-case steps`,
        value: thousand,
        unit: "ms",
        goal: "< 10 ms",
        ok: thousand < 10,
      },
      {
        name: `rules (${composition}): 10,000 worst-case steps`,
        value: tenThousand,
        unit: "ms",
      },
      {
        name: `rules (${composition}): growth from 100 to 1,000 steps`,
        value: thousand / hundred,
        unit: "×",
        goal: "≤ 12×",
        ok: thousand / hundred <= 12,
      },
      {
        name: `rules (${composition}): growth from 1,000 to 10,000 steps`,
        value: tenThousand / thousand,
        unit: "×",
        goal: "≤ 12×",
        ok: tenThousand / thousand <= 12,
      },
    );
  }
  return figures;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.table(await benchRules());
}
