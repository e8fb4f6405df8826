import type { CalibrationDocument } from "../../shared/calibration/calibration-document.ts";
import type { ScoreComparison } from "../../shared/calibration/compare-scores.ts";
import type { Correlation, Estimate, Interval } from "../../shared/statistics/result.ts";
import { pc } from "./colours.ts";
import { figure, many, table } from "./terminal.ts";

const COLUMNS = [
  { title: "figure" },
  { title: "value", align: "right" },
  { title: "interval" },
  { title: "p", align: "right" },
  { title: "n", align: "right" },
] as const;

/** How far scores and people agree, as a table. */
export function comparisonReport(comparison: ScoreComparison): string {
  const { unit, success } = comparison;
  const rows = [
    correlationRow("Pearson", comparison.pearson),
    correlationRow("Spearman", comparison.spearman),
    correlationRow("Kendall tau-b", comparison.kendall),
    row("pairs ordered alike", comparison.agreement),
    row("mean absolute error", comparison.mean_absolute_error),
    ...(unit === null
      ? []
      : [
          row("kappa, cut at 0.5", unit.kappa),
          row("weighted kappa, 5 bins", unit.weighted_kappa),
          row("calibration error", unit.expected_calibration_error),
          row("Brier score", unit.brier),
        ]),
    ...(success === null ? [] : [row("AUC of solved", success.auc), row("Brier of solved", success.brier)]),
  ];
  const head = `${pc.bold("Scores and people")}  ${many(comparison.n, "labelled score")} in ${many(comparison.groups, "group")}; errors ${figure(comparison.min_error)} to ${figure(comparison.max_error)}; seed ${comparison.seed}`;
  return `${head}\n${table(COLUMNS, rows)}`;
}

function correlationRow(name: string, correlation: Correlation): readonly string[] {
  const [title, value, interval, , n] = row(name, correlation);
  const p = correlation.value === null ? "–" : pText(correlation.test.p);
  return [title ?? "", value ?? "", interval ?? "", p, n ?? ""];
}

function row(name: string, estimate: Estimate): readonly string[] {
  if (estimate.value === null) return [name, "–", WHY[estimate.why], "", String(estimate.n)];
  return [name, figure(estimate.value), intervalText(estimate.interval), "", String(estimate.n)];
}

function intervalText(interval: Interval): string {
  return interval.low === null
    ? WHY[interval.why]
    : `${figure(interval.low)} to ${figure(interval.high)} (${Math.round(interval.level * 100)} %)`;
}

const WHY = {
  too_few: "too few",
  constant: "does not vary",
  one_class: "one verdict only",
  no_variance: "at the edge of its range",
  unstable: "too uncertain",
} as const;

function pText(p: number | null): string {
  if (p === null) return "–";
  return p < 0.001 ? "<0.001" : p.toFixed(3);
}

/** What was fitted, and what it does to held-out rows. */
export function calibrationReport(document: CalibrationDocument): string {
  const { before, after, candidates, folds } = document.cross_validation;
  const rows = candidates.map(({ method, brier, gain, gain_error: error }) => [
    method === document.method ? pc.bold(method) : method,
    ...(row(method, brier).slice(1, 3) as string[]),
    method === "identity" ? "" : `${figure(gain, 4)} ± ${figure(error, 4)}`,
  ]);
  const columns = [
    { title: "way" },
    { title: "Brier", align: "right" },
    { title: "interval" },
    { title: "gain ± standard error" },
  ] as const;
  const chosen =
    document.method === "identity"
      ? "none: the scores stay as they are, for no way is better by more than a standard error"
      : `${document.method}: on held-out groups the mean absolute error goes from ${figure(before.mean_absolute_error.value)} to ${figure(after.mean_absolute_error.value)}, the calibration error from ${figure(before.expected_calibration_error.value)} to ${figure(after.expected_calibration_error.value)}`;
  return `${pc.bold("Calibration")}  of ${document.layer}, ${folds} folds, seed ${document.seed}, version ${document.version}\n${table(columns, rows)}\n  ${chosen}`;
}

export function annotatorsReport(labels: CalibrationDocument["labels"]): string {
  const people = Object.entries(labels.by_annotator).map(([name, count]) => `${name} ${count}`);
  const kinds = Object.entries(labels.by_kind).map(([kind, count]) => `${count} ${kind}`);
  const agreed =
    labels.alpha === null
      ? "no two labelled the same"
      : labels.alpha.value === null
        ? `alpha not defined: ${WHY[labels.alpha.why]}`
        : `Krippendorff's alpha ${figure(labels.alpha.value)}, ${intervalText(labels.alpha.interval)}, ${many(labels.alpha.n, "trajectory", "trajectories")} labelled by several`;
  return `${pc.bold("Labels")}  ${people.join(", ")} (${kinds.join(", ")}); ${agreed}`;
}
