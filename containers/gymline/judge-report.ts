import type { JudgeConfig } from "../../shared/judge/config.ts";
import { PRICES_AS_OF, priceOf } from "../../shared/judge/prices.ts";
import type { CollectReport, OpenBatch } from "../../shared/stages/judge/collect.ts";
import type { JudgeForecast } from "../../shared/stages/judge/forecast.ts";
import type { LeftOut } from "../../shared/stages/judge/judge-case.ts";
import type { JudgeReport } from "../../shared/stages/judge/tally.ts";
import type { Rescored } from "../../shared/stages/reprocess.ts";
import type { Estimate } from "../../shared/statistics/result.ts";
import { figure, many, table } from "./terminal.ts";

/** US dollars; – where no price is known. */
export function usdText(usd: number | null): string {
  return usd === null ? "– (no price known)" : `$${usd.toFixed(usd >= 1 ? 2 : 4)}`;
}

const LEFT_OUT: Readonly<Record<LeftOut, string>> = {
  judged: "judged before",
  gate: "not worth the price, says the gate",
  nothing: "without steps or rubrics for a model",
  superseded: "superseded by a longer log",
  absent: "not in the store",
};

const GATE: Readonly<Record<string, string>> = {
  uncertain: "in the band",
  disagreement: "reward and critic disagree",
  unscored: "without a reward",
  calibration: "picked by chance",
  certain: "outside the band",
};

const SHOWN = 12;

/** What a run did, for people. */
export function judgeReport(
  report: JudgeReport & { readonly collected?: number },
  { rescored, today }: { readonly rescored: readonly Rescored[]; readonly today: number },
): string {
  const lines: string[] = [];
  const { judged, fromCache, steps, failures } = report;
  const cached = fromCache > 0 ? `, ${fromCache} of them from the cache` : "";
  lines.push(
    `judged ${many(judged, "trajectory", "trajectories")}${cached}; ${steps.scored} of ${many(steps.asked, "step")} asked about have scores`,
  );
  lines.push(...reasonLines(report));
  if (report.calls > 0) lines.push(callsLine(report, today));
  const reasons = Object.entries(failures).sort(([, a], [, b]) => b - a);
  for (const [reason, count] of reasons) lines.push(`no score: ${count} × ${reason}`);
  if (report.manipulation > 0) {
    lines.push(`${many(report.manipulation, "window")} in which the judge saw text that speaks to it`);
  }
  if (report.unanswered > 0) {
    lines.push(
      `${many(report.unanswered, "trajectory", "trajectories")} without an answer; the next run asks again`,
    );
  }
  if (report.dropped > 0) {
    lines.push(
      `${many(report.dropped, "trajectory", "trajectories")} forgotten or changed meanwhile: dropped`,
    );
  }
  if (report.left > 0) {
    const why = report.stoppedBy === "time" ? "time ran out" : "the limit on money is reached";
    lines.push(
      `${why}: ${many(report.left, "trajectory", "trajectories")} left; what was answered is kept, and the next run goes on`,
    );
  }
  if (report.disagreement.length > 0) lines.push(...disagreementLines(report.disagreement));
  const changes = rescored.filter(({ before, after }) => before.reward !== after.reward);
  if (changes.length > 0) lines.push(...changeLines(changes));
  return lines.join("\n");
}

export function callsLine(
  { calls, usage, usd }: Pick<JudgeReport, "calls" | "usage" | "usd">,
  today: number,
): string {
  const prompt = usage.input + usage.cacheRead + usage.cacheWrite;
  return `${many(calls, "call")}: ${many(prompt, "token")} in (${usage.cacheRead.toLocaleString("en")} from the provider's cache), ${usage.output.toLocaleString("en")} out; ${usdText(usd)}, ${usdText(today)} today`;
}

function reasonLines({
  leftOut,
  gate,
  waiting,
}: Pick<JudgeReport, "leftOut" | "gate" | "waiting">): readonly string[] {
  const lines: string[] = [];
  const out = (Object.entries(leftOut) as [LeftOut, number][])
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${count} ${LEFT_OUT[reason]}`);
  if (out.length > 0) lines.push(`left out: ${out.join(", ")}`);
  const gated = Object.entries(gate)
    .filter(([reason]) => reason !== "all")
    .map(([reason, count]) => `${count} ${GATE[reason] ?? reason}`);
  if (gated.length > 0) lines.push(`gate: ${gated.join(", ")}`);
  if (waiting > 0)
    lines.push(`${many(waiting, "trajectory", "trajectories")} in batches that have not ended`);
  return lines;
}

function disagreementLines(summaries: JudgeReport["disagreement"]): readonly string[] {
  const columns = [
    { title: "rubric" },
    { title: "steps", align: "right" },
    { title: "mean deviation", align: "right" },
    { title: "greatest", align: "right" },
    { title: "above 0.25", align: "right" },
  ] as const;
  const rows = summaries.map(({ rubric, meanDeviation, greatest, wide }) => [
    rubric,
    String(wide.n),
    estimateText(meanDeviation),
    figure(greatest),
    estimateText(wide),
  ]);
  return ["answers to the same question lie apart by (95 % intervals):", table(columns, rows)];
}

/** A figure with its interval. */
export function estimateText(estimate: Estimate): string {
  if (estimate.value === null) return "–";
  const { low, high } = estimate.interval;
  return low === null
    ? figure(estimate.value)
    : `${figure(estimate.value)} (${figure(low)} to ${figure(high)})`;
}

function changeLines(changes: readonly Rescored[]): readonly string[] {
  const moved = changes.map((each) => ({
    ...each,
    by:
      each.before.reward === null || each.after.reward === null
        ? null
        : each.after.reward - each.before.reward,
  }));
  const known = moved.flatMap(({ by }) => (by === null ? [] : [by]));
  const mean = known.length === 0 ? null : known.reduce((sum, by) => sum + by, 0) / known.length;
  const rows = moved
    .sort((left, right) => Math.abs(right.by ?? 2) - Math.abs(left.by ?? 2))
    .slice(0, SHOWN)
    .map(({ id, before, after, by }) => [
      id.slice(0, 10),
      figure(before.reward),
      figure(after.reward),
      by === null ? "–" : signed(by),
    ]);
  const columns = [
    { title: "id" },
    { title: "before", align: "right" },
    { title: "now", align: "right" },
    { title: "change", align: "right" },
  ] as const;
  const more = changes.length > SHOWN ? [`  … and ${changes.length - SHOWN} more`] : [];
  const average = mean === null ? "" : `, by ${signed(mean)} on average`;
  return [`${many(changes.length, "reward")} changed${average}`, table(columns, rows), ...more];
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
}

/** What judging would need, for people. */
export function forecastReport(
  forecast: JudgeForecast,
  { model, prices }: Pick<JudgeConfig, "model" | "prices">,
): string {
  const { direct, batch, mostUsd } = forecast;
  const columns = [
    { title: "" },
    { title: "calls", align: "right" },
    { title: "tokens in", align: "right" },
    { title: "of these cached", align: "right" },
    { title: "tokens out", align: "right" },
    { title: "expected", align: "right" },
    { title: "at most", align: "right" },
  ] as const;
  const row = (name: string, of: JudgeForecast["direct"], most: number | null): readonly string[] => [
    name,
    of.requests.toLocaleString("en"),
    of.inputTokens.toLocaleString("en"),
    of.cachedTokens.toLocaleString("en"),
    of.outputTokens.toLocaleString("en"),
    of.usd === null ? "–" : usdText(of.usd),
    most === null ? "–" : usdText(most),
  ];
  const from = forecast.fromCache > 0 ? `, ${forecast.fromCache} of them from the cache alone` : "";
  return [
    `${many(forecast.trajectories, "trajectory", "trajectories")} to judge with ${model}${from}: ${many(forecast.steps, "step")}, ${many(forecast.cached, "answer")} in the cache`,
    ...reasonLines(forecast),
    table(columns, [
      row("direct", direct, mostUsd.direct),
      ...(batch === null ? [] : [row("batch", batch, mostUsd.batch)]),
    ]),
    priceLine({ model, prices }),
    "No call was made. Tokens are estimated; a model's own thinking counts in the last column only.",
  ]
    .filter((line) => line !== "")
    .join("\n");
}

function priceLine({ model, prices }: Pick<JudgeConfig, "model" | "prices">): string {
  if (priceOf(model, prices) === null) {
    return `no price of ${model} is known: give one under judge.prices in the settings`;
  }
  const builtIn = Object.keys(prices).every((name) => !model.startsWith(name));
  return builtIn ? `Prices as of ${PRICES_AS_OF.date}.` : "";
}

/** Open batches, for people. */
export function batchesReport(open: readonly OpenBatch[], now: number): string {
  if (open.length === 0) return "no open batches";
  const columns = [
    { title: "submission" },
    { title: "batch" },
    { title: "model" },
    { title: "calls", align: "right" },
    { title: "trajectories", align: "right" },
    { title: "since", align: "right" },
  ] as const;
  const rows = open.map(({ submission, batch, model, requests, trajectories, at }) => [
    submission,
    batch ?? "(not confirmed)",
    model,
    String(requests),
    String(trajectories),
    `${Math.max(0, Math.round((now - at) / 60_000))} min`,
  ]);
  return table(columns, rows);
}

export function collectedReport(report: Pick<CollectReport, "collected" | "open" | "otherProvider">): string {
  const lines = [`took in ${many(report.collected, "batch", "batches")}; ${report.open.length} open`];
  if (report.otherProvider > 0) {
    lines.push(
      `${many(report.otherProvider, "batch", "batches")} of another provider not looked at: name it with --provider and --model`,
    );
  }
  return lines.join("\n");
}
