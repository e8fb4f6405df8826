import { SPLIT_NAMES, type SplitName } from "../split.ts";
import type { Distribution } from "./distribution.ts";
import { COLOURS, CONFIG } from "./plot-theme.ts";
import type { QualityReport, QualitySection } from "./quality-report.ts";

/** A picture beside the card. */
export interface Plot {
  /** Relative to the version's folder. */
  readonly name: string;
  /** What it shows, in words. */
  readonly alt: string;
  /** A specification of Vega-Lite. */
  readonly spec: object;
}

/** Makes an SVG of a specification of Vega-Lite; the same specification gives the same text. */
export type PlotRenderer = (spec: object) => Promise<string>;

type Bar = Readonly<Record<string, number | string>>;

const SPLIT_COLOURS = [COLOURS.first, COLOURS.second, COLOURS.third];
const MOST_BARS = 15;
const WIDTH = 640;

/** The plots of a report; what there is nothing of has none. */
export function plotsOf(report: QualityReport): readonly Plot[] {
  return [
    lengthPlot(report),
    rewardPlot(report),
    outcomePlot(report),
    barPlot({ report, of: "tools", unit: "calls" }),
    barPlot({ report, of: "domain", unit: "trajectories" }),
  ].filter((plot) => plot !== undefined);
}

function plot(name: string, { alt, spec }: { readonly alt: string; readonly spec: object }): Plot {
  const schema = { $schema: "https://vega.github.io/schema/vega-lite/v6.json", config: CONFIG };
  return { name: `plots/${name}.svg`, alt, spec: { ...schema, ...spec } };
}

function splitsOf({ splits }: QualityReport): readonly (readonly [SplitName, QualitySection])[] {
  return SPLIT_NAMES.flatMap((name) => {
    const section = splits[name];
    return section === undefined ? [] : [[name, section] as const];
  });
}

/** Bins of all splits above each other, without the empty ones at both ends. */
function stacked(
  report: QualityReport,
  of: (section: QualitySection) => Distribution | null,
): readonly Bar[] {
  const bars: Bar[] = [];
  const below = new Map<number, number>();
  for (const [split, section] of splitsOf(report)) {
    const { edges = [], counts = [] } = of(section)?.histogram ?? {};
    for (const [index, count] of counts.entries()) {
      const [from = 0, to = 0] = [edges[index], edges[index + 1]];
      const start = below.get(from) ?? 0;
      below.set(from, start + count);
      if (count > 0) bars.push({ split, from, to, low: start, high: start + count });
    }
  }
  return bars;
}

function colourOf(report: QualityReport): object {
  const names = splitsOf(report).map(([name]) => name);
  return {
    field: "split",
    type: "nominal",
    scale: { domain: names, range: names.map((name) => SPLIT_COLOURS[SPLIT_NAMES.indexOf(name)]) },
    ...(names.length < 2 ? { legend: null } : {}),
  };
}

function histogram(
  bars: readonly Bar[],
  { x, y, colour }: { readonly x: object; readonly y: string; readonly colour: object },
): object {
  return {
    data: { values: bars },
    mark: { type: "bar", stroke: COLOURS.paper, strokeWidth: 1 },
    encoding: {
      x: { field: "from", type: "quantitative", ...x },
      x2: { field: "to" },
      y: {
        field: "low",
        type: "quantitative",
        title: y,
        axis: { tickCount: 4, tickMinStep: 1, format: "~s" },
      },
      y2: { field: "high" },
      color: colour,
    },
  };
}

const MEASURES = [
  ["steps", "trajectories", "steps of the agent"],
  ["messages", "trajectories", "messages"],
  ["tokens", "rows", "tokens"],
] as const;

function lengthPlot(report: QualityReport): Plot | undefined {
  const { length } = report.all;
  const parts = MEASURES.flatMap(([measure, unit, title]) => {
    const bars = stacked(report, (section) => section.length[measure]);
    if (bars.length === 0) return [];
    const least = Math.min(...bars.map(({ from = 0 }) => Number(from)));
    const greatest = Math.max(...bars.map(({ to = 0 }) => Number(to)));
    const x = {
      title: measure === "tokens" && report.tokens_by === "estimate" ? "tokens (estimate)" : title,
      scale: { type: "symlog", constant: 1, domain: [least, greatest], nice: false },
      // A format of the axis would give all ticks the prefix of the greatest.
      axis: { values: ticksBetween(least, greatest), labelExpr: "format(datum.value, '~s')", grid: false },
    };
    return [{ width: 180, height: 140, ...histogram(bars, { x, y: unit, colour: colourOf(report) }) }];
  });
  if (parts.length === 0) return undefined;
  const told = MEASURES.flatMap(([measure, , title]) => {
    const found = length[measure];
    return found === null ? [] : [`${title}: ${rangeText(found)}`];
  });
  return plot("length", {
    alt: `Length. ${told.join("; ")}`,
    spec: { title: "Length", hconcat: parts, spacing: 24 },
  });
}

/** 0, 1, 3, 10, 30, 100, …, not too many. */
function ticksBetween(least: number, greatest: number): readonly number[] {
  const all = [0];
  for (let power = 1; power <= greatest; power *= 10) all.push(power, power * 3);
  const within = all.filter((tick) => tick >= least && tick <= greatest);
  return within.length > 7 ? within.filter((tick) => !String(tick).startsWith("3")) : within;
}

function rewardPlot(report: QualityReport): Plot | undefined {
  const bars = stacked(report, (section) => section.reward);
  const { reward } = report.all;
  if (bars.length === 0 || reward === null) return undefined;
  const x = { title: "total reward", scale: { domain: [0, 1] }, axis: { grid: false, tickCount: 10 } };
  const spec = {
    title: "Reward",
    width: WIDTH,
    height: 140,
    ...histogram(bars, { x, y: "trajectories", colour: colourOf(report) }),
  };
  return plot("reward", { alt: `Reward. ${rangeText(reward)}`, spec });
}

function rangeText({ n, p10, median, p90 }: Distribution): string {
  return `median ${median}, from ${p10} to ${p90} for 80 % (n = ${n})`;
}

const OUTCOMES = ["success", "failure", "unknown"];

function outcomePlot(report: QualityReport): Plot | undefined {
  const bars = splitsOf(report).flatMap(([split, { outcome, trajectories }]) => {
    let low = 0;
    return OUTCOMES.flatMap((name, order) => {
      const count = outcome[name] ?? 0;
      const start = low;
      low += count;
      if (count === 0) return [];
      const label = `${split} (n = ${trajectories})`;
      return [{ label, outcome: name, order, low: start / trajectories, high: low / trajectories }];
    });
  });
  if (bars.length === 0) return undefined;
  const shown = OUTCOMES.filter((name) => bars.some(({ outcome }) => outcome === name));
  const colours = { success: COLOURS.first, failure: COLOURS.second, unknown: COLOURS.rest };
  const told = shown.map((name) => `${report.all.outcome[name] ?? 0} ${name}`);
  const spec = {
    title: "Outcome",
    data: { values: bars },
    width: WIDTH - 110,
    height: { step: 28 },
    mark: { type: "bar", stroke: COLOURS.paper, strokeWidth: 1 },
    encoding: {
      y: { field: "label", type: "nominal", title: null, sort: null, axis: { ticks: false, domain: false } },
      x: {
        field: "low",
        type: "quantitative",
        title: "share of trajectories",
        axis: { format: "%", tickCount: 5 },
        scale: { domain: [0, 1] },
      },
      x2: { field: "high" },
      color: {
        field: "outcome",
        type: "nominal",
        scale: { domain: shown, range: shown.map((name) => colours[name as keyof typeof colours]) },
      },
    },
  };
  return plot("outcome", { alt: `Outcome. ${told.join(", ")}`, spec });
}

function barPlot(of: {
  readonly report: QualityReport;
  readonly of: "tools" | "domain";
  readonly unit: string;
}): Plot | undefined {
  const counts = Object.entries(of.report.all[of.of]).sort(([, a], [, b]) => b - a);
  if (counts.length === 0) return undefined;
  const bars = counts.slice(0, MOST_BARS).map(([name, count]) => ({ name: cleanName(name), count }));
  const more = counts.length - bars.length;
  const title = of.of === "tools" ? "Tools" : "Domains";
  const y = {
    field: "name",
    type: "nominal",
    title: null,
    sort: null,
    axis: { labelLimit: 200, labelColor: COLOURS.ink, ticks: false, domain: false },
  };
  const x = {
    field: "count",
    type: "quantitative",
    title: of.unit,
    axis: { tickCount: 5, tickMinStep: 1, format: "~s" },
  };
  const spec = {
    data: { values: bars },
    width: WIDTH - 160,
    height: { step: 20 },
    title: more === 0 ? title : `${title}: the ${bars.length} most frequent of ${counts.length}`,
    layer: [
      { mark: { type: "bar", color: COLOURS.first }, encoding: { y, x } },
      {
        mark: { type: "text", align: "left", dx: 4 },
        encoding: { y, x, text: { field: "count", type: "quantitative", format: "," } },
      },
    ],
  };
  const told = bars.slice(0, 5).map(({ name, count }) => `${name} ${count}`);
  return plot(of.of, { alt: `${title}, ${of.unit}. ${told.join(", ")}`, spec });
}

/** Names of tools are what agents wrote: no control characters, and of two that then look alike each has its bar. */
function cleanName(name: string): string {
  return name.replace(/[\u0000-\u001f\u007f]/g, " ").slice(0, 80) || "(no name)";
}
