import type { Evaluation } from "../contracts/evaluation.ts";
import { type ReportBlock, reportBlocks } from "./report-blocks.ts";

/** The report of an evaluation as Markdown. What names of agents and tasks hold is text, never markup. */
export function evaluationMarkdown(evaluation: Evaluation): string {
  const blocks = reportBlocks(evaluation, { mostTasks: 100 });
  const id = evaluation.id.slice(0, 12);
  return `${[`# Evaluation ${id}`, ...blocks.map(blockText)].join("\n\n")}\n`;
}

function blockText(block: ReportBlock): string {
  if (block.kind === "heading") return `## ${plain(block.text)}`;
  if (block.kind === "warning") return `> **${plain(block.text)}**`;
  if (block.kind === "text") return plain(block.text);
  const row = (cells: readonly string[]): string => `| ${cells.map(plain).join(" | ")} |`;
  const rule = block.columns.map(({ align }) => (align === "right" ? "--:" : "---"));
  return [
    row(block.columns.map(({ title }) => title)),
    `| ${rule.join(" | ")} |`,
    ...block.rows.map(row),
  ].join("\n");
}

/** One line, in which no character begins markup or HTML. */
function plain(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_{}[\]#|~!]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
