import { checkText } from "../../shared/dataset/quality/check-error.ts";
import type { CheckResult } from "../../shared/dataset/quality/checks.ts";
import type { Distribution } from "../../shared/dataset/quality/distribution.ts";
import type { QualityReport, QualitySection } from "../../shared/dataset/quality/quality-report.ts";
import { pc } from "./colours.ts";
import { figure, many, printable, table } from "./terminal.ts";

/** Names of one kind that are shown. */
const SHOWN = 8;

/** A report on a dataset version for the terminal. */
export function qualityReportText({
  name,
  report,
  checks,
}: {
  readonly name: string;
  readonly report: QualityReport | undefined;
  readonly checks: readonly CheckResult[];
}): string {
  const contents =
    report === undefined
      ? [`  it was written without ${pc.bold("quality.json")}: export anew for figures of what is in it`]
      : contentLines(report);
  return [pc.bold(`Quality   ${name}`), ...contents, "", ...checkLines(checks)].join("\n");
}

function contentLines(report: QualityReport): readonly string[] {
  const { all, splits } = report;
  const of = Object.entries(splits).map(([split, { rows }]) => `${split} ${rows.toLocaleString("en")}`);
  const tokens = report.tokens_by === "estimate" ? "tokens (estimate)" : `tokens (${report.tokens_by})`;
  const rows = [
    line("steps", all.length.steps),
    line("messages", all.length.messages),
    line(tokens, all.length.tokens),
    line("reward", all.reward),
  ].filter((cells) => cells !== undefined);
  const numbers = ["n", "min", "10 %", "median", "90 %", "max", "mean"];
  const columns = [{ title: "" }, ...numbers.map((title) => ({ title, align: "right" as const }))];
  return [
    `  ${many(all.rows, "row")} (${of.join(", ")}) of ${many(all.trajectories, "trajectory", "trajectories")}`,
    table(columns, rows),
    ...KINDS.map(([title, kind]) => countLine(title, all[kind])),
  ];
}

const KINDS: readonly (readonly [string, NamedCounts])[] = [
  ["outcome", "outcome"],
  ["domain", "domain"],
  ["agent", "agent"],
  ["model", "model"],
  ["log format", "format"],
  ["tools", "tools"],
  ["redacted", "redactions"],
];

type NamedCounts = "outcome" | "domain" | "agent" | "model" | "format" | "tools" | "redactions";

function countLine(title: string, counts: QualitySection[NamedCounts]): string {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const shown = entries
    .slice(0, SHOWN)
    .map(([name, count]) => `${printable(name)} ${count.toLocaleString("en")}`);
  const more = entries.length > SHOWN ? [`${entries.length - SHOWN} more`] : [];
  return `  ${pc.dim(title.padEnd(10))} ${[...shown, ...more].join(", ") || "–"}`;
}

function line(name: string, of: Distribution | null): readonly string[] | undefined {
  if (of === null) return undefined;
  const { n, min, p10, median, p90, max, mean } = of;
  const text = name === "reward" ? figure : whole;
  return [name, n.toLocaleString("en"), ...[min, p10, median, p90, max, mean].map((value) => text(value))];
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

const MARKS = {
  failed: pc.red("✗"),
  warned: pc.yellow("!"),
  allowed: pc.yellow("!"),
} as const;

function checkLines(checks: readonly CheckResult[]): readonly string[] {
  const passed = checks.filter(({ outcome }) => outcome === "passed");
  const skipped = checks.filter(({ outcome }) => outcome === "skipped");
  const found = checks.flatMap((check) => {
    const { outcome } = check;
    if (outcome === "passed" || outcome === "skipped") return [];
    return [`${MARKS[outcome]} ${pc.dim(outcome)}`, checkText(check)];
  });
  return [
    `${pc.bold("Checks")}    ${passed.length} passed, ${skipped.length} do not apply`,
    ...found,
    ...skipped.map(({ id, note }) => pc.dim(`  – ${id}: ${note ?? ""}`)),
  ];
}
