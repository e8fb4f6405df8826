import type { Evaluation } from "../contracts/evaluation.ts";
import { COLOURS, CONFIG } from "../dataset/quality/plot-theme.ts";
import { moreIsBetter } from "./metrics.ts";
import { METRIC_NAMES } from "./report-blocks.ts";

/** A picture of an evaluation. */
export interface EvaluationPlot {
  readonly title: string;
  /** What it shows, in words. */
  readonly alt: string;
  /** A specification of Vega-Lite. */
  readonly spec: object;
}

const WIDTH = 560;
/** Bars of a picture of tasks; more would be no wider than a pixel or two. */
const MOST_TASKS = 60;
/** Pictures of tasks. */
const MOST_PAIRS = 6;
const LONGEST_NAME = 220;

/** Intervals by agent, tasks by pair of agents, cost against the metric; what there is nothing of has none. */
export function evaluationPlots(evaluation: Evaluation): readonly EvaluationPlot[] {
  return [intervalPlot(evaluation), ...taskPlots(evaluation), costPlot(evaluation)].filter(
    (plot) => plot !== undefined,
  );
}

function specOf(spec: object): object {
  return { $schema: "https://vega.github.io/schema/vega-lite/v6.json", config: CONFIG, ...spec };
}

function intervalPlot({ leaderboard, settings }: Evaluation): EvaluationPlot | undefined {
  const rows = leaderboard.flatMap(({ agent, letters, value }) => {
    if (value.value === null) return [];
    const { low, high } = value.interval;
    return [{ agent, letters, value: value.value, ...(low === null ? {} : { low, high }) }];
  });
  if (rows.length === 0) return undefined;
  const name = METRIC_NAMES[settings.metric];
  const x = {
    type: "quantitative",
    title: name,
    ...(settings.metric === "success"
      ? { scale: { domain: [0, 1] } }
      : { scale: { zero: false, nice: true } }),
  };
  const y = agentAxis(rows.map(({ agent }) => agent));
  return {
    title: `${name} by agent`,
    alt: `${name} of ${rows.map((row) => `${row.agent} ${row.value.toFixed(3)}`).join(", ")}`,
    spec: specOf({
      width: WIDTH,
      height: { step: 30 },
      data: { values: rows },
      layer: [
        {
          transform: [{ filter: "isValid(datum.low)" }],
          mark: { type: "rule", strokeWidth: 3, color: COLOURS.first, opacity: 0.45 },
          encoding: { y, x: { field: "low", ...x }, x2: { field: "high" } },
        },
        {
          mark: { type: "point", filled: true, size: 70, color: COLOURS.first, opacity: 1 },
          encoding: { y, x: { field: "value", ...x } },
        },
        {
          mark: { type: "text", dy: -10, fontWeight: 600, color: COLOURS.ink },
          encoding: { y, x: { field: "value", ...x }, text: { field: "letters" } },
        },
      ],
    }),
  };
}

function agentAxis(agents: readonly string[]): object {
  return {
    field: "agent",
    type: "nominal",
    title: null,
    sort: agents,
    axis: { labelLimit: LONGEST_NAME, domain: false, ticks: false, offset: 8, labelColor: COLOURS.ink },
  };
}

/** For each pair of agents the difference by task, the largest on both sides where there are many. */
function taskPlots({ by_task, agents, settings, comparisons }: Evaluation): readonly EvaluationPlot[] {
  const sign = moreIsBetter(settings.metric) ? 1 : -1;
  const pairs = comparisons.filter(({ metric }) => metric === settings.metric).slice(0, MOST_PAIRS);
  return pairs.flatMap(({ a, b, won, lost, tied }): readonly EvaluationPlot[] => {
    const [first, second] = [a, b].map((name) => agents.findIndex((each) => each.name === name));
    const differences = by_task.flatMap(({ task, means }) => {
      const [mine, theirs] = [means[first ?? -1] ?? null, means[second ?? -1] ?? null];
      if (mine === null || theirs === null) return [];
      const difference = mine - theirs;
      const side = difference * sign > 0 ? a : difference * sign < 0 ? b : "equal";
      return [{ task, difference, side }];
    });
    if (differences.length === 0) return [];
    const sorted = differences.sort((x, y) => y.difference - x.difference || (x.task < y.task ? -1 : 1));
    const half = MOST_TASKS / 2;
    const shown = sorted.length <= MOST_TASKS ? sorted : [...sorted.slice(0, half), ...sorted.slice(-half)];
    const some = shown.length < sorted.length ? `, ${shown.length} of ${sorted.length} tasks` : "";
    const name = METRIC_NAMES[settings.metric];
    const reach = Math.max(...shown.map(({ difference }) => Math.abs(difference))) || 1;
    return [
      {
        title: `${a} against ${b}, task by task${some}`,
        alt: `${a} is better on ${won} tasks, worse on ${lost}, equal on ${tied}`,
        spec: specOf({
          width: WIDTH,
          height: 160,
          data: { values: shown },
          mark: { type: "bar" },
          encoding: {
            x: {
              field: "task",
              type: "nominal",
              title: null,
              sort: shown.map(({ task }) => task),
              axis: { labels: shown.length <= 24, labelAngle: -40, labelLimit: 90, ticks: false },
            },
            y: {
              field: "difference",
              type: "quantitative",
              title: `${name}, difference`,
              scale: { domain: [-reach, reach] },
            },
            color: {
              field: "side",
              type: "nominal",
              scale: { domain: [a, b, "equal"], range: [COLOURS.first, COLOURS.second, COLOURS.rest] },
              legend: { values: [a, b], labelLimit: LONGEST_NAME },
            },
          },
        }),
      },
    ];
  });
}

function costPlot({ figures, settings }: Evaluation): EvaluationPlot | undefined {
  const against = settings.metric === "cost_usd" ? "success" : settings.metric;
  const name = METRIC_NAMES[against];
  const rows = figures.flatMap(({ agent, metrics }) => {
    const [cost, value] = [metrics.cost_usd, metrics[against]];
    if (cost?.value == null || value?.value == null) return [];
    const { low, high } = value.interval;
    return [{ agent, cost: cost.value, value: value.value, ...(low === null ? {} : { low, high }) }];
  });
  if (rows.length === 0) return undefined;
  const x = {
    field: "cost",
    type: "quantitative",
    title: "US $ per episode",
    // Room at the right for the names beside the points.
    scale: { domain: [0, Math.max(...rows.map(({ cost }) => cost)) * 1.25 || 1] },
    axis: { tickCount: 6 },
  };
  const y = {
    type: "quantitative",
    title: name,
    scale: against === "success" ? { domain: [0, 1] } : { zero: false, padding: 20 },
  };
  return {
    title: `cost against ${name}`,
    alt: rows.map((row) => `${row.agent}: ${row.cost.toFixed(4)} US $, ${row.value.toFixed(3)}`).join("; "),
    spec: specOf({
      width: WIDTH,
      height: 220,
      data: { values: rows },
      layer: [
        {
          transform: [{ filter: "isValid(datum.low)" }],
          mark: { type: "rule", strokeWidth: 2, color: COLOURS.first, opacity: 0.35 },
          encoding: { x, y: { field: "low", ...y }, y2: { field: "high" } },
        },
        {
          mark: { type: "point", filled: true, size: 80, color: COLOURS.first, opacity: 1 },
          encoding: { x, y: { field: "value", ...y } },
        },
        {
          mark: { type: "text", align: "left", dx: 8, dy: -8, limit: LONGEST_NAME, color: COLOURS.ink },
          encoding: { x, y: { field: "value", ...y }, text: { field: "agent" } },
        },
      ],
    }),
  };
}
