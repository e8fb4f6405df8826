import type {
  AgentComparison,
  AgentFigures,
  Evaluation,
  EvaluationMetric,
  EvaluationProblem,
} from "../contracts/evaluation.ts";
import { METRICS } from "./metrics.ts";
import { estimateText, figureText, intervalText, pText, signedText } from "./report-text.ts";

export interface ReportColumn {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** A part of a report, for whatever shows it. Texts are plain: names of agents and tasks may hold anything. */
export type ReportBlock =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "warning"; readonly text: string }
  | {
      readonly kind: "table";
      readonly columns: readonly ReportColumn[];
      readonly rows: readonly (readonly string[])[];
    };

/** Names of metrics for people. */
export const METRIC_NAMES: Readonly<Record<EvaluationMetric, string>> = {
  success: "success",
  return: "return",
  return_per_step: "return per turn",
  steps: "turns",
  cost_usd: "cost (US $)",
  seconds: "seconds",
  violations: "violations",
};

const right = (title: string): ReportColumn => ({ title, align: "right" });
const left = (title: string): ReportColumn => ({ title });

/** The problems and the ranking alone. */
export function leaderboardReport(evaluation: Evaluation): readonly ReportBlock[] {
  return [...headOf(evaluation), ...leaderboardBlocks(evaluation)];
}

/** The report of an evaluation. `mostTasks`: rows of the table of tasks, those first on which agents differ most. */
export function reportBlocks(
  evaluation: Evaluation,
  { mostTasks }: { readonly mostTasks: number },
): readonly ReportBlock[] {
  return [
    ...leaderboardReport(evaluation),
    ...comparisonBlocks(evaluation),
    ...passBlocks(evaluation),
    ...costBlocks(evaluation),
    ...lengthBlocks(evaluation),
    ...taskBlocks(evaluation, mostTasks),
  ];
}

function headOf(evaluation: Evaluation): readonly ReportBlock[] {
  const { env, tasks, attempts, seed, valid, problems } = evaluation;
  const times = attempts === 1 ? "one attempt each" : `${attempts} attempts each`;
  const invalid: readonly ReportBlock[] = valid
    ? []
    : [{ kind: "warning", text: "Not valid: nothing may be concluded from it. See the problems." }];
  const told = problems.map((problem): ReportBlock => {
    const kind = problem.severity === "invalid" ? "warning" : "text";
    return { kind, text: problemText(problem) };
  });
  return [
    { kind: "text", text: `${env.id}, ${countOf(tasks.count, "task")}, ${times}, seed ${seed}` },
    ...invalid,
    ...told,
  ];
}

function problemText({ code, agents, count, of, examples, message }: EvaluationProblem): string {
  const where =
    examples.length === 0 ? "" : ` (${examples.join(", ")}${count > examples.length ? ", …" : ""})`;
  return `${agents.join(" and ")}: ${code.replaceAll("_", " ")}, ${count} of ${of}${where}: ${message}`;
}

function leaderboardBlocks(evaluation: Evaluation): readonly ReportBlock[] {
  const { leaderboard, settings, agents, comparisons } = evaluation;
  const metric = METRIC_NAMES[settings.metric];
  const others = METRICS.filter((each) => each !== settings.metric);
  const figures = new Map(evaluation.figures.map((each) => [each.agent, each]));
  const rows = leaderboard.map(({ rank, agent, letters, value }) => {
    const own = figures.get(agent);
    return [
      rank === null ? "–" : String(rank),
      agent,
      modelText(agents.find(({ name }) => name === agent)?.model ?? null),
      letters,
      estimateText(value),
      ...others.map((each) => figureText(own?.metrics[each]?.value ?? null, digitsOf(each))),
      episodesText(own),
    ];
  });
  const pairs = comparisons.filter((each) => each.metric === settings.metric).length;
  const tests =
    pairs === 0
      ? ""
      : ` Agents that share a letter do not differ significantly at ${figureText(1 - settings.level, 2)} (compact letter display; p ${correctionText(settings.correction)} over ${countOf(pairs, "pair")} of agents).`;
  return [
    { kind: "heading", text: "Leaderboard" },
    {
      kind: "table",
      columns: [
        ...[right("rank"), left("agent"), left("model"), left("group"), left(metric)],
        ...others.map((each) => right(METRIC_NAMES[each])),
        right("episodes"),
      ],
      rows,
    },
    {
      kind: "text",
      text: `Means over tasks of the means over attempts, with ${percentText(settings.level)} intervals that draw tasks.${tests}`,
    },
  ];
}

function modelText(model: Evaluation["agents"][number]["model"]): string {
  return model === null ? "–" : `${model.name} ${model.version}`;
}

function episodesText(own: AgentFigures | undefined): string {
  if (own === undefined) return "–";
  const { done, planned, failed, missing } = own.episodes;
  const lost = [failed > 0 ? `${failed} failed` : "", missing > 0 ? `${missing} missing` : ""];
  const told = lost.filter((each) => each !== "").join(", ");
  return `${done} of ${planned}${told === "" ? "" : ` (${told})`}`;
}

function comparisonBlocks({ comparisons, settings }: Evaluation): readonly ReportBlock[] {
  if (comparisons.length === 0) return [];
  const main = comparisons.filter(({ metric }) => metric === settings.metric);
  const rest = comparisons.filter(({ metric }) => metric !== settings.metric);
  const columns = (first: readonly ReportColumn[]): readonly ReportColumn[] => [
    ...first,
    ...[left("first"), left("second"), right("first − second"), left("interval"), right("tasks")],
    ...[right("pairs"), right("won, lost, tied"), left("test"), right("p"), right("p corrected")],
    ...[left("effect"), left("better")],
  ];
  const blocks: ReportBlock[] = [
    { kind: "heading", text: "Comparisons" },
    { kind: "table", columns: columns([]), rows: main.map(comparisonRow) },
  ];
  if (rest.length > 0) {
    blocks.push(
      { kind: "heading", text: "Other measures" },
      {
        kind: "table",
        columns: columns([left("measure")]),
        rows: rest.map((each) => [METRIC_NAMES[each.metric], ...comparisonRow(each)]),
      },
    );
  }
  return blocks;
}

function comparisonRow(comparison: AgentComparison): readonly string[] {
  const { metric, a, b, difference, test, adjusted, effect, won, lost, tied } = comparison;
  const { better, pairs, tasks } = comparison;
  const value = effect.estimate.value;
  const digits = digitsOf(metric);
  return [
    a,
    b,
    difference.value === null ? "–" : signedText(difference.value, digits),
    difference.value === null ? "–" : intervalText(difference.interval, digits),
    String(tasks),
    String(pairs),
    `${won}, ${lost}, ${tied}`,
    `${test.name.replaceAll("_", " ")}, ${test.method.replaceAll("_", " ")}`,
    pText(test.p),
    pText(adjusted),
    value === null ? "–" : `${EFFECTS[effect.kind]} ${signedText(value, 2)}`,
    better ?? "no difference shown",
  ];
}

const EFFECTS: Readonly<Record<AgentComparison["effect"]["kind"], string>> = {
  risk_difference: "risk difference",
  rank_biserial: "rank biserial",
  d_z: "d_z",
};

/** Costs of an episode are often below a cent. */
function digitsOf(metric: EvaluationMetric): number {
  return metric === "cost_usd" ? 4 : 3;
}

function passBlocks({ figures, attempts, settings }: Evaluation): readonly ReportBlock[] {
  if (attempts < 2 || figures.every(({ pass_at_k }) => pass_at_k.length === 0)) return [];
  const ks = [...new Set(figures.flatMap(({ pass_at_k }) => pass_at_k.map(({ k }) => k)))].sort(
    (a, b) => a - b,
  );
  return [
    { kind: "heading", text: "pass@k" },
    {
      kind: "table",
      columns: [left("agent"), ...ks.map((k) => left(`k = ${k}`))],
      rows: figures.map(({ agent, pass_at_k }) => [
        agent,
        ...ks.map((k) => {
          const found = pass_at_k.find((each) => each.k === k);
          return found === undefined ? "–" : estimateText(found.estimate);
        }),
      ]),
    },
    {
      kind: "text",
      text: `The chance that one of k attempts solves a task, without bias, with ${percentText(settings.level)} intervals that draw tasks.`,
    },
  ];
}

function costBlocks({ figures }: Evaluation): readonly ReportBlock[] {
  const columns = [
    ...[left("agent"), right("US $"), right("US $ per success"), right("priced episodes")],
    ...[right("seconds, median"), right("seconds, 95 %"), right("seconds, all")],
  ];
  const rows = figures.map(({ agent, cost, seconds }) => [
    agent,
    figureText(cost.total_usd, 4),
    figureText(cost.per_success_usd, 4),
    String(cost.priced_episodes),
    figureText(seconds?.p50 ?? null, 2),
    figureText(seconds?.p95 ?? null, 2),
    figureText(seconds?.total ?? null, 1),
  ]);
  return [
    { kind: "heading", text: "Cost and time" },
    { kind: "table", columns, rows },
  ];
}

function lengthBlocks({ figures }: Evaluation): readonly ReportBlock[] {
  const bins = figures[0]?.return_by_length ?? [];
  if (bins.length < 2) return [];
  const rows = figures.map(({ agent, return_by_length }) => [
    agent,
    ...return_by_length.map((bin) =>
      bin.episodes === 0 ? "–" : `${figureText(bin.return)} (${bin.episodes})`,
    ),
  ]);
  const titles = bins.map(({ from, to }) => right(from === to ? `${from} turns` : `${from} to ${to} turns`));
  return [
    { kind: "heading", text: "Return by length of the episode" },
    { kind: "table", columns: [left("agent"), ...titles], rows },
    { kind: "text", text: "Mean return of the episodes of that length, and how many there are." },
  ];
}

function taskBlocks(evaluation: Evaluation, most: number): readonly ReportBlock[] {
  const { by_task, agents, settings } = evaluation;
  const spread = (means: readonly (number | null)[]): number => {
    const known = means.filter((mean) => mean !== null);
    return known.length < 2 ? -1 : Math.max(...known) - Math.min(...known);
  };
  const sorted = by_task
    .map((task) => ({ ...task, spread: spread(task.means) }))
    .sort((a, b) => b.spread - a.spread || (a.task < b.task ? -1 : 1));
  const shown = sorted.slice(0, most);
  const [first, second] = agents;
  const pair = agents.length === 2 && first !== undefined && second !== undefined;
  const rows = shown.map(({ task, means, spread: by }) => [
    task,
    ...means.map((mean) => figureText(mean)),
    by < 0 ? "–" : pair ? signedText((means[0] ?? 0) - (means[1] ?? 0)) : figureText(by),
  ]);
  const left_out = sorted.length - shown.length;
  return [
    { kind: "heading", text: `Tasks by ${METRIC_NAMES[settings.metric]}` },
    {
      kind: "table",
      columns: [
        left("task"),
        ...agents.map(({ name }) => right(name)),
        right(pair ? "difference" : "greatest difference"),
      ],
      rows,
    },
    ...(left_out > 0
      ? [{ kind: "text", text: `… and ${countOf(left_out, "more task")} that differ less.` } as const]
      : []),
  ];
}

function correctionText(correction: Evaluation["settings"]["correction"]): string {
  if (correction === "none") return "uncorrected";
  if (correction === "benjamini_hochberg") return "by Benjamini and Hochberg";
  return correction === "holm" ? "by Holm" : "by Bonferroni";
}

function percentText(level: number): string {
  return `${Number((level * 100).toFixed(2))} %`;
}

function countOf(count: number, one: string): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : `${one}s`}`;
}
