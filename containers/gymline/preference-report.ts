import type { PreferenceRow } from "../../shared/preferences/preference-row.ts";
import type { PreferenceSummaryDocument } from "../../shared/preferences/summary.ts";
import { pc } from "./colours.ts";
import { figure, many, table, verdict } from "./terminal.ts";

type Lengths = NonNullable<PreferenceSummaryDocument["lengths"]>["after"];

export function pairTable(rows: readonly PreferenceRow[]): string {
  const columns = [
    { title: "task", max: 34 },
    { title: "at step", align: "right" },
    { title: "margin", align: "right" },
    { title: "chosen" },
    { title: "reward", align: "right" },
    { title: "solved" },
    { title: "steps", align: "right" },
    { title: "rejected" },
    { title: "reward", align: "right" },
    { title: "solved" },
    { title: "steps", align: "right" },
    { title: "by" },
  ] as const;
  const hasSteps = rows.some(({ level }) => level === "step");
  const cells = rows.map((row) => [
    row.task,
    row.level === "step" ? String(row.prefix.steps) : "",
    figure(row.margin),
    ...sideCells(row, "chosen"),
    ...sideCells(row, "rejected"),
    row.level === "step" ? `${row.chosen.branch.runs} + ${row.rejected.branch.runs} runs` : row.source,
  ]);
  const kept = columns
    .map(({ title }, index) => (title === "at step" && !hasSteps ? -1 : index))
    .filter((i) => i >= 0);
  return table(
    kept.flatMap((index) => columns[index] ?? []),
    cells.map((row) => kept.map((index) => row[index] ?? "")),
  );
}

function sideCells(row: PreferenceRow, side: "chosen" | "rejected"): readonly string[] {
  const { id, outcome, steps } = row[side];
  const reward = row.level === "step" ? row[side].branch.reward : row[side].reward;
  return [id.slice(0, 10), figure(reward), verdict(outcome.success), steps === null ? "–" : String(steps)];
}

export function preferenceReport(summary: PreferenceSummaryDocument, path: string | undefined): string {
  const { margins, by_source: by, lengths } = summary;
  const sources = (["votes", "judge"] as const)
    .filter((source) => by[source] > 0)
    .map((source) => `${by[source]} by ${source === "votes" ? "votes" : "the judge"}`);
  const what = summary.strategy === "branches" ? "pair of steps" : "pair";
  const several = summary.strategy === "branches" ? "pairs of steps" : "pairs";
  const lines = [
    `${pc.bold("Pairs")}     ${many(summary.pairs, what, several)} of ${many(summary.tasks, "task")}, ${summary.strategy}${path === undefined ? "" : ` → ${path}`}`,
    `  margin    mean ${figure(margins.mean, 4)}, ${figure(margins.min, 4)} to ${figure(margins.max, 4)}, n ${margins.n}`,
  ];
  if (sources.length > 0) lines.push(`  decided   ${sources.join(", ")}, ${by.reward} by rewards`);
  if (lengths !== null) {
    lines.push(`  longer    ${lengthText(lengths.after)}`);
    if (JSON.stringify(lengths.before) !== JSON.stringify(lengths.after)) {
      lines.push(`            ${pc.dim(`without length control ${lengthText(lengths.before)}`)}`);
    }
  }
  return [...lines, ...votesText(summary), ...leftOutText(summary)].join("\n");
}

/** `the chosen attempt is longer in 3 of 9 pairs, 33 % (12 to 65 %); shorter in 5`. */
function lengthText({ longer, shorter, equal, unknown, longer_share: share }: Lengths): string {
  const percent = (value: number | null): string => (value === null ? "–" : String(Math.round(value * 100)));
  const interval =
    share.value === null
      ? ""
      : `, ${percent(share.value)} % (95 % interval ${percent(share.low)} to ${percent(share.high)})`;
  const rest = [
    `shorter in ${shorter}`,
    `equal in ${equal}`,
    ...(unknown > 0 ? [`unknown in ${unknown}`] : []),
  ];
  return `the chosen attempt has more steps in ${longer} of ${many(share.n, "pair")}${interval}; ${rest.join(", ")}`;
}

/** No pair: what there was and why nothing came of it. */
export function noPairsReport(summary: PreferenceSummaryDocument, path: string | undefined): string {
  const written = path === undefined ? "" : `; ${path} was not written`;
  const seen = `${many(summary.attempts_seen, "scored attempt")} at ${many(summary.tasks_seen, "task")}`;
  return [
    `${pc.bold("Pairs")}     none from ${seen}${written}`,
    ...votesText(summary),
    ...leftOutText(summary),
    `  ${pc.dim("→")} ${remedy(summary)}`,
  ].join("\n");
}

function remedy({ attempts_seen: attempts, left_out: out }: PreferenceSummaryDocument): string {
  if (attempts === 0)
    return "score trajectories first (gymline run, gymline reprocess --stage score), or widen the filters";
  if (Object.keys(out.pairs).length === 0)
    return "a pair takes two scored attempts at one task: give logs of several attempts";
  return "a smaller --margin, or fewer conditions, may give some; gymline list shows the rewards";
}

function votesText({ votes }: PreferenceSummaryDocument): readonly string[] {
  const parts = Object.entries(votes).map(([what, count]) => `${count} ${what}`);
  return parts.length === 0 ? [] : [`  votes     ${parts.join("; ")}`];
}

function leftOutText({ left_out: out }: PreferenceSummaryDocument): readonly string[] {
  const kinds = [
    ["attempt", out.attempts],
    ["task", out.tasks],
    ["pair", out.pairs],
  ] as const;
  return kinds.flatMap(([kind, counts]) => {
    const parts = Object.entries(counts).map(([reason, count]) => `${count} ${reason}`);
    return parts.length === 0 ? [] : [`  left out  ${kind}s: ${parts.join("; ")}`];
  });
}
