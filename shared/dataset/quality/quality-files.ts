import type { Manifest } from "../manifest.ts";
import { withDarkColours } from "./plot-theme.ts";
import { type Plot, type PlotRenderer, plotsOf } from "./plots.ts";
import type { QualityReport } from "./quality-report.ts";

export const QUALITY_FILE = "quality.json";

/** The report and its plots as files of a version. */
export async function qualityFiles(
  report: QualityReport,
  render: PlotRenderer | undefined,
): Promise<{
  readonly plots: readonly Plot[];
  readonly files: readonly { readonly name: string; readonly text: string }[];
}> {
  const plots = render === undefined ? [] : plotsOf(report);
  const files = [{ name: QUALITY_FILE, text: `${JSON.stringify(report, null, 2)}\n` }];
  for (const { name, spec } of plots) {
    const svg = await render?.(spec);
    if (svg !== undefined) files.push({ name, text: withDarkColours(svg) });
  }
  return { plots, files };
}

/** What the manifest says of checks. */
export function checksFound({ checks }: QualityReport): Pick<Manifest, "checks"> {
  const found = checks.filter(({ outcome }) => outcome === "warned" || outcome === "allowed");
  return found.length === 0
    ? {}
    : { checks: found.map(({ id, outcome, count }) => ({ id, outcome, count })) };
}
