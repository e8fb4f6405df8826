import { CHECKS, type CheckResult } from "./checks.ts";
import type { Distribution } from "./distribution.ts";
import type { Plot } from "./plots.ts";
import type { QualityReport } from "./quality-report.ts";

/** The part of a card on quality, as Markdown. */
export function qualitySection(report: QualityReport, plots: readonly Plot[]): string {
  const { all } = report;
  const { passed, found, skipped } = sorted(report.checks);
  const told = [
    `${passed.length} of ${report.checks.length} checks passed`,
    ...(skipped.length === 0
      ? []
      : [`${skipped.length} do not apply (${skipped.map(({ id }) => id).join(", ")})`]),
  ];
  const counts = `Tokens of a row are ${report.tokens_by === "estimate" ? "estimated from characters" : `counted by ${report.tokens_by}`}; steps and messages are those of a trajectory.`;
  const redacted = Object.entries(all.redactions).map(([type, count]) => `${type} ${count}`);
  return `## Quality

${told.join("; ")}.
${found.length === 0 ? "" : `\n| check | outcome | found | |\n|---|---|---|---|\n${found.map(checkLine).join("\n")}\n`}
| | n | min | 10 % | median | 90 % | max | mean |
|---|---|---|---|---|---|---|---|
${lengthLines(report)}

${counts} Redacted, by type: ${redacted.join(", ") || "nothing"}. \`quality.json\` has all figures, by split.
${plots.map(({ name, alt }) => `\n![${plain(alt)}](${name})\n`).join("")}`;
}

function sorted(
  checks: readonly CheckResult[],
): Record<"passed" | "found" | "skipped", readonly CheckResult[]> {
  return {
    passed: checks.filter(({ outcome }) => outcome === "passed"),
    found: checks.filter(({ outcome }) => outcome !== "passed" && outcome !== "skipped"),
    skipped: checks.filter(({ outcome }) => outcome === "skipped"),
  };
}

function checkLine({ id, outcome, count }: CheckResult): string {
  return `| \`${id}\` | ${outcome} | ${count} | ${CHECKS[id].finds} |`;
}

function lengthLines({ all }: QualityReport): string {
  const rows: readonly (readonly [string, Distribution | null])[] = [
    ["steps", all.length.steps],
    ["messages", all.length.messages],
    ["tokens", all.length.tokens],
    ["reward", all.reward],
  ];
  return rows
    .flatMap(([name, found]) => {
      if (found === null) return [];
      const { n, min, p10, median, p90, max, mean } = found;
      return [`| ${name} | ${[n, min, p10, median, p90, max, mean].join(" | ")} |`];
    })
    .join("\n");
}

/** Names of tools stand in it. */
function plain(text: string): string {
  return text.replace(/[[\]\\<>`|!*_]/g, " ");
}
