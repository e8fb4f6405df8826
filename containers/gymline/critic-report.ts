import type { CriticDocument, CriticFigures, Estimate } from "../../shared/critic/critic-document.ts";
import { pc } from "./colours.ts";
import { figure, many, table } from "./terminal.ts";

const columns = [
  { title: "" },
  { title: "n", align: "right" },
  { title: "solved", align: "right" },
  { title: "groups", align: "right" },
  { title: "AUC [95 %]", align: "right" },
  { title: "Brier [95 %]", align: "right" },
  { title: "ECE [95 %]", align: "right" },
  { title: "ECE if exact", align: "right" },
] as const;

/** The figures of a critic, for people. */
export function criticReport(document: CriticDocument): string {
  const { training, model, features, report } = document;
  const { cross_validation: cross, leave_one_set_out: sets } = report;
  const lines = [
    `${pc.bold("Critic")}  ${model.kind}, features version ${features.version} (${features.names.length})`,
    `  trained on ${many(training.trajectories, "trajectory", "trajectories")} (${training.successes} solved) of ` +
      `${many(training.groups, "group")} and ${many(Object.keys(training.sets).length, "set")}, seed ${training.seed}`,
    "",
    `${pc.bold("Cross-validation by group")}, ${cross.folds} folds: by the share of the trajectory that was seen`,
    rows(Object.entries(cross.prefixes).map(([name, figures]) => [seen(name), figures])),
    "",
    `${pc.bold("The same by set")}, of whole trajectories; macro AUC ${interval(cross.macro_auc)} over ${many(cross.macro_sets.length, "set")}`,
    rows(Object.entries(cross.sets)),
  ];
  if (sets === null) lines.push("", "Leave one set out: there is one set only");
  else {
    lines.push(
      "",
      `${pc.bold("Leave one set out")}, of whole trajectories; macro AUC ${interval(sets.macro_auc)} over ${many(sets.macro_sets.length, "set")}`,
      rows(Object.entries(sets.sets)),
      ...Object.entries(sets.skipped).map(([name, reason]) => `  ${name} could not be left out: ${reason}`),
    );
  }
  lines.push(
    "",
    pc.dim(
      "AUC: 0.5 is chance. ECE: ten bins; with n predictions it is above 0 even if each is exact, on average as in the last column.",
    ),
    pc.dim("Nothing here speaks for other agents, tasks or models than those trained on."),
  );
  return lines.join("\n");
}

function rows(entries: readonly (readonly [string, CriticFigures])[]): string {
  return table(
    columns,
    entries.map(([name, { n, successes, groups, auc, brier, ece, ece_floor }]) => [
      name,
      String(n),
      String(successes),
      String(groups),
      interval(auc),
      interval(brier),
      interval(ece),
      figure(ece_floor),
    ]),
  );
}

function seen(name: string): string {
  return name === "final" ? "all" : `${Number(name) * 100} %`;
}

function interval(estimate: Estimate): string {
  if (estimate === null) return "–";
  return `${figure(estimate.value)} [${figure(estimate.low)}, ${figure(estimate.high)}]`;
}
