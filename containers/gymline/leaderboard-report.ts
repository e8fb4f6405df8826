import type {
  Leaderboard,
  LeaderboardGroup,
  LeaderboardOptions,
  RankedGroup,
} from "../../shared/leaderboard/leaderboard.ts";
import { pc } from "./colours.ts";
import { estimateText, intervalText, pText, signed } from "./statistics-text.ts";
import { type Column, figure, many, table } from "./terminal.ts";

export const MIXED_REWARDS =
  "some rewards rest on an outcome and some do not, which are different quantities: --metric process or success compares like with like";

/** The leaderboard with all that it depends on. */
export function leaderboardDocument(board: Leaderboard, options: LeaderboardOptions): unknown {
  return { schema: "gymline.leaderboard.v1", ...options, ...board };
}

export function leaderboardReport(board: Leaderboard, options: LeaderboardOptions): string {
  const { ranked, unranked } = board;
  const { metric, by } = options;
  const columns: readonly Column[] = [
    { title: "rank", align: "right" },
    { title: "tier" },
    ...by.map((title) => ({ title, max: 34 })),
    { title: "n", align: "right" },
    { title: "tasks", align: "right" },
    { title: metric === "success" ? "success by task" : metric },
    ...(metric === "reward" ? [] : [{ title: "reward", align: "right" } as const]),
    { title: "succeeded" },
    { title: "steps", align: "right" },
    { title: "ahead of the next by" },
  ];
  const rows = [
    ...ranked.map((group) => [
      String(group.rank),
      tierName(group.tier),
      ...groupCells(group, options),
      nextText(group, by.includes("task") ? "run" : "task"),
    ]),
    ...unranked.map((group) => ["–", "", ...groupCells(group, options), `n below ${options.minRuns}`]),
  ];
  const percent = Math.round((options.level ?? 0.95) * 100);
  const lines = [table(columns, rows)];
  const remarks = [
    `${percent} % intervals: ${metric} by bootstrap over ${by.includes("task") ? "runs" : "tasks"} (seed ${options.seed}), success by Wilson, of those with a verdict`,
  ];
  if (ranked.length > 1) {
    remarks.push(
      `neighbours are tested ${by.includes("task") ? "by runs" : "by tasks, paired where they share most of them"}; p by Holm over ${many(ranked.length - 1, "test")}`,
      `within a tier no neighbours differ beyond chance at ${figure(1 - (options.level ?? 0.95), 2)}`,
    );
  }
  if (metric === "reward" && hasMixedRewards([...ranked, ...unranked])) {
    remarks.push(MIXED_REWARDS);
  }
  return [...lines, ...remarks.map((line) => `  ${pc.dim(line)}`)].join("\n");
}

function groupCells(group: LeaderboardGroup, { by, metric }: LeaderboardOptions): readonly string[] {
  const { success } = group;
  const succeeded = success.value === null ? "–" : `${estimateText(success)} n ${success.n}`;
  return [
    ...by.map((field) => group.group[field] ?? "–"),
    group.metric.n === group.runs ? String(group.runs) : `${group.metric.n} of ${group.runs}`,
    String(group.tasks),
    estimateText(group.metric),
    ...(metric === "reward" ? [] : [figure(group.reward.value)]),
    succeeded,
    figure(group.steps.value, 1),
  ];
}

function nextText({ next }: RankedGroup, unit: string): string {
  if (next === null) return "";
  const on =
    next.kind === "paired"
      ? `${many(next.shared, `shared ${unit}`)}`
      : `${next.tasks[0]} and ${many(next.tasks[1], unit)}`;
  const sign = next.separable ? "" : "  not separable";
  return `${signed(next.value)} (${intervalText(next.interval)}), p ${pText(next.adjusted)}, ${on}${sign}`;
}

/** A, B, … Z, then AA, AB. */
function tierName(tier: number): string {
  const letter = String.fromCharCode(65 + ((tier - 1) % 26));
  return tier <= 26 ? letter : `${tierName(Math.floor((tier - 1) / 26))}${letter}`;
}

export function hasMixedRewards(groups: readonly LeaderboardGroup[]): boolean {
  const scored = groups.reduce((sum, { reward }) => sum + reward.n, 0);
  const withOutcome = groups.reduce((sum, group) => sum + group.withOutcome, 0);
  return withOutcome > 0 && withOutcome < scored;
}
