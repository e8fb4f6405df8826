import { createHash } from "node:crypto";
import type { Evaluation } from "../contracts/evaluation.ts";
import type { PlotRenderer } from "../dataset/quality/plots.ts";
import { type EvaluationPlot, evaluationPlots } from "./plots.ts";
import { type ReportBlock, reportBlocks } from "./report-blocks.ts";

/**
 * The report of an evaluation as one HTML document that needs nothing else and may reach nothing else: no script, the
 * style by its hash, pictures within. Names of agents and tasks are text in it, whatever they hold.
 */
export async function evaluationHtml(evaluation: Evaluation, render: PlotRenderer): Promise<string> {
  const plots: { readonly plot: EvaluationPlot; readonly svg: string }[] = [];
  for (const plot of evaluationPlots(evaluation)) plots.push({ plot, svg: await render(plot.spec) });
  const policy = [
    "default-src 'none'",
    "img-src data:",
    `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const title = `Evaluation ${evaluation.id.slice(0, 12)}`;
  const blocks = reportBlocks(evaluation, { mostTasks: 500 });
  const board = blocks.findIndex(({ kind }, index) => kind === "heading" && index > 0);
  const after = blocks.findIndex(({ kind }, index) => kind === "heading" && index > board);
  const end = after < 0 ? blocks.length : after;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${blocks.slice(0, end).map(blockHtml).join("\n")}
<div class="plots">
${plots.map(figureHtml).join("\n")}
</div>
${blocks.slice(end).map(blockHtml).join("\n")}
<footer>${escaped(settingsText(evaluation))}</footer>
</main>
</body>
</html>
`;
}

function settingsText({ id, tasks, settings, episodes }: Evaluation): string {
  return [
    `evaluation ${id}`,
    `tasks ${tasks.sha256}`,
    `${episodes.count} episodes ${episodes.sha256}`,
    `${settings.resamples} resamples, seed ${settings.seed}`,
  ].join(" · ");
}

function blockHtml(block: ReportBlock): string {
  if (block.kind === "heading") return `<h2>${escaped(block.text)}</h2>`;
  if (block.kind === "text") return `<p>${escaped(block.text)}</p>`;
  if (block.kind === "warning") return `<p class="warning" role="alert">${escaped(block.text)}</p>`;
  const classes = block.columns.map(({ align }) => (align === "right" ? ' class="right"' : ""));
  const cells = (row: readonly string[], tag: "td" | "th"): string =>
    row.map((cell, index) => `<${tag}${classes[index] ?? ""}>${escaped(cell)}</${tag}>`).join("");
  const head = cells(
    block.columns.map(({ title }) => title),
    "th",
  );
  const rows = block.rows.map((row) => `<tr>${cells(row, "td")}</tr>`).join("\n");
  return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>\n${rows}\n</tbody></table></div>`;
}

/** As a picture, in which nothing runs and nothing is fetched, whatever a text of it says. */
function figureHtml({ plot, svg }: { readonly plot: EvaluationPlot; readonly svg: string }): string {
  const data = Buffer.from(svg, "utf8").toString("base64");
  return `<figure><figcaption>${escaped(plot.title)}</figcaption><img alt="${escaped(plot.alt)}" src="data:image/svg+xml;base64,${data}"></figure>`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d1d9e0, #3d444d); --dim: light-dark(#59636e, #9198a1); }
body { margin: 0; background: light-dark(#ffffff, #0d1117); color: light-dark(#1f2328, #f0f6fc); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 84rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.4rem; margin: 0 0 0.4rem; }
h2 { font-size: 1.1rem; margin: 1.8rem 0 0.5rem; }
p { margin: 0.4rem 0; overflow-wrap: anywhere; }
.warning { border-left: 4px solid light-dark(#cf222e, #f85149); padding: 0.3rem 0.8rem; background: light-dark(#ffebe9, #3c1618); }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; max-width: 22rem; overflow-wrap: break-word; }
th { color: var(--dim); font-weight: 600; }
.right { text-align: right; }
td.right { white-space: nowrap; }
.plots { display: flex; flex-wrap: wrap; gap: 1.2rem; margin-top: 1.2rem; }
figure { margin: 0; flex: 1 1 30rem; min-width: 0; max-width: 40rem; }
figcaption { font-weight: 600; margin-bottom: 0.3rem; }
img { max-width: 100%; background: #ffffff; border: 1px solid var(--line); border-radius: 6px; }
footer { margin-top: 2rem; color: var(--dim); font-size: 0.8rem; overflow-wrap: anywhere; }
`;
