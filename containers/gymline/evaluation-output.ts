import type { Evaluation } from "../../shared/contracts/evaluation.ts";
import { evaluationKey } from "../../shared/contracts/keys.ts";
import type { EvaluationParts } from "../../shared/evaluation/evaluation-of.ts";
import { evaluationMarkdown } from "../../shared/evaluation/markdown.ts";
import { type ReportBlock, reportBlocks } from "../../shared/evaluation/report-blocks.ts";
import { pc } from "./colours.ts";
import { openOutput } from "./output.ts";
import { out, printable, table } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Tasks that the terminal shows. */
const SHOWN = 10;

export interface EvaluationOutput {
  readonly json?: boolean;
  readonly markdown?: boolean;
  /** Folder of the store that it is in, where it is in one. */
  readonly place?: string;
}

/** Prints an evaluation as JSON, Markdown or text. */
export function showEvaluation(
  { document }: Pick<EvaluationParts, "document">,
  { json, markdown, place }: EvaluationOutput,
): void {
  if (json === true) out(JSON.stringify(document));
  else if (markdown === true) out(evaluationMarkdown(document).trimEnd());
  else out(evaluationText(document, place));
}

function evaluationText(document: Evaluation, place: string | undefined): string {
  const where = place === undefined ? "" : `   ${place}/${evaluationKey(document.id)}`;
  const head = `${pc.bold("Evaluation")} ${document.id.slice(0, 12)}${pc.dim(where)}`;
  return `${head}\n${blocksText(reportBlocks(document, { mostTasks: SHOWN }))}`;
}

export function blocksText(blocks: readonly ReportBlock[]): string {
  return blocks.map(blockText).join("\n");
}

function blockText(block: ReportBlock): string {
  if (block.kind === "heading") return `\n${pc.bold(printable(block.text))}`;
  if (block.kind === "text") return `  ${pc.dim(printable(block.text))}`;
  if (block.kind === "warning") return `  ${pc.yellow(printable(block.text))}`;
  const columns = block.columns.map((column) => ({ ...column, max: 44 }));
  return table(columns, block.rows);
}

/** Names of files that `--report` takes. @throws UsageError */
export function checkReports(paths: readonly string[]): void {
  for (const path of paths) {
    if (!/\.(?:html|md)$/i.test(path))
      throw new UsageError(`--report takes a .html or .md file, not "${path}"`);
  }
}

/** Writes reports by the ends of their names, each whole or not at all. @throws UsageError */
export async function writeReports(document: Evaluation, paths: readonly string[]): Promise<void> {
  checkReports(paths);
  for (const path of paths) {
    const text = /\.md$/i.test(path) ? evaluationMarkdown(document) : await html(document);
    const file = await openOutput(path);
    try {
      await file.write(text);
      await file.finish();
    } catch (error) {
      await file.abort();
      throw error;
    }
  }
}

async function html(document: Evaluation): Promise<string> {
  const [{ evaluationHtml }, { renderPlot }] = await Promise.all([
    import("../../shared/evaluation/html.ts"),
    import("../../shared/adapters/vega/render-plot.ts"),
  ]);
  return await evaluationHtml(document, renderPlot);
}
