import type { GroupComparison } from "../../shared/leaderboard/compare-groups.ts";
import type { LeaderboardGroup, Metric } from "../../shared/leaderboard/leaderboard.ts";
import type { ScoreFacts } from "../../shared/leaderboard/side-by-side.ts";
import { pc } from "./colours.ts";
import { hasMixedRewards, MIXED_REWARDS } from "./leaderboard-report.ts";
import { estimateText, intervalText, pText, signed } from "./statistics-text.ts";
import { type Column, figure, many, printable, table, verdict } from "./terminal.ts";

/** A scored trajectory and what it is called. */
export interface Compared extends ScoreFacts {
  readonly name: string;
  readonly id: string;
  readonly task: string | null;
  readonly agent: string;
  readonly model: string | null;
  readonly success: boolean | null;
  readonly domain: string;
  readonly scorer: string;
}

/** Columns that stand side by side; more follow below. */
const ACROSS = 5;

/** One column a trajectory, in the order given; letters stand for their names. */
export function sideBySideReport(compared: readonly Compared[]): string {
  const named = compared.map((each, index) => ({ ...each, letter: letterOf(index) }));
  const legend = named.map(({ letter, name }) => `  ${pc.bold(letter)}  ${printable(name)}`);
  const blocks: string[] = [];
  for (let from = 0; from < named.length; from += ACROSS)
    blocks.push(block(named.slice(from, from + ACROSS), compared));
  const remarks: string[] = [];
  if (new Set(compared.map(({ scorer }) => scorer)).size > 1) {
    remarks.push("they are scored by different settings or domains: --domain scores all by one");
  }
  if (new Set(compared.map(({ layers }) => layers.join())).size > 1) {
    remarks.push("rewards rest on different layers, so they are different quantities: compare the layers");
  }
  return [...legend, "", blocks.join("\n\n"), ...remarks.map((line) => `  ${pc.dim(line)}`)].join("\n");
}

function block(shown: readonly (Compared & { readonly letter: string })[], all: readonly Compared[]): string {
  const columns: readonly Column[] = [
    { title: "" },
    ...shown.map(({ letter }) => ({ title: letter, align: "right", max: 36 }) as const),
  ];
  const rubrics = [...new Set(all.flatMap(({ rubrics }) => Object.keys(rubrics)))];
  const codes = [...new Set(all.flatMap(({ deductions }) => Object.keys(deductions)))].sort();
  const row = (title: string, cell: (each: Compared) => string): readonly string[] => [
    title,
    ...shown.map(cell),
  ];
  return table(columns, [
    row("task", ({ task }) => task ?? "–"),
    row("agent", ({ agent }) => agent),
    row("model", ({ model }) => model ?? "–"),
    row("domain", ({ domain }) => domain),
    row("solved", ({ success }) => verdict(success)),
    row("reward", ({ total }) => figure(total)),
    row("  outcome", ({ outcome }) => figure(outcome)),
    row("  process", ({ process }) => figure(process)),
    row("  efficiency", ({ efficiency }) => figure(efficiency)),
    row("layers", ({ layers }) => (layers.length === 0 ? "–" : layers.join(", "))),
    row("steps", ({ steps }) => String(steps)),
    ...rubrics.map((id) =>
      row(id, (each) => {
        const rubric = each.rubrics[id];
        return rubric === undefined ? "–" : `${figure(rubric.mean)} n ${rubric.n}`;
      }),
    ),
    ...codes.map((code) => row(`▼ ${code}`, ({ deductions }) => String(deductions[code] ?? 0))),
  ]);
}

function letterOf(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : `${letterOf(Math.floor(index / 26) - 1)}${letter}`;
}

interface ComparisonOptions {
  readonly names: { readonly a: string; readonly b: string };
  readonly metric: Metric;
  readonly level: number;
  readonly seed: number;
}

/** The comparison with all that it depends on. */
export function comparisonDocument(comparison: GroupComparison, options: ComparisonOptions): unknown {
  return { schema: "gymline.comparison.v1", ...options, ...comparison };
}

/** Tasks that the terminal shows. */
const SHOWN = 10;

export function comparisonReport(comparison: GroupComparison, options: ComparisonOptions): string {
  const { difference, tasks } = comparison;
  const { names, metric, level, seed } = options;
  const columns: readonly Column[] = [
    { title: "" },
    { title: "group", max: 60 },
    { title: "n", align: "right" },
    { title: "tasks", align: "right" },
    { title: metric === "success" ? "success by task" : metric },
    { title: "succeeded" },
    { title: "steps", align: "right" },
  ];
  const lines = [
    table(columns, [groupRow("A", names.a, comparison.a), groupRow("B", names.b, comparison.b)]),
    "",
  ];
  if (difference === null) {
    return [...lines, `  no run of one of the groups has a ${metric}, so there is nothing to compare`].join(
      "\n",
    );
  }
  const [runsA, runsB] = difference.runs;
  const on =
    difference.kind === "paired"
      ? `paired by ${many(difference.shared, "shared task")}, ${runsA} and ${many(runsB, "run")}`
      : `unpaired, ${difference.tasks[0]} and ${many(difference.tasks[1], "task")}, of which they share ${difference.shared}`;
  const { p } = difference.test;
  const verdictText = p !== null && p <= 1 - level ? "" : `; not separable at ${figure(1 - level, 2)}`;
  lines.push(
    `  A − B  ${signed(difference.value)} (${Math.round(level * 100)} % interval ${intervalText(difference.interval, 3)}), p ${pText(difference.test)}${verdictText}`,
    `         ${pc.dim(`${on}; seed ${seed}`)}`,
  );
  if (metric === "reward" && hasMixedRewards([comparison.a, comparison.b])) {
    lines.push(`         ${pc.dim(MIXED_REWARDS)}`);
  }
  if (tasks.length > 0) {
    const rows = tasks
      .slice(0, SHOWN)
      .map(({ task, a, b, difference: by }) => [
        task,
        signed(by),
        figure(a.mean),
        String(a.runs),
        figure(b.mean),
        String(b.runs),
      ]);
    const taskColumns: readonly Column[] = [
      { title: "task", max: 40 },
      { title: "A − B", align: "right" },
      { title: "A", align: "right" },
      { title: "n", align: "right" },
      { title: "B", align: "right" },
      { title: "n", align: "right" },
    ];
    lines.push("", table(taskColumns, rows));
    if (tasks.length > SHOWN)
      lines.push(`  … and ${many(tasks.length - SHOWN, "more task")} that differ less`);
  }
  return lines.join("\n");
}

function groupRow(letter: string, name: string, group: LeaderboardGroup): readonly string[] {
  const { success } = group;
  return [
    letter,
    name,
    group.metric.n === group.runs ? String(group.runs) : `${group.metric.n} of ${group.runs}`,
    String(group.tasks),
    estimateText(group.metric),
    success.value === null ? "–" : `${estimateText(success)} n ${success.n}`,
    figure(group.steps.value, 1),
  ];
}
