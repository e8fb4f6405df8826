import type { Condition, Decision, ModelLine } from "../../shared/contracts/model.ts";
import type { RegisteredModel } from "../../shared/registry/registry.ts";
import { figure, printable, table } from "./terminal.ts";

/** The versions of models, the newest last. */
export function modelsTable(lines: readonly ModelLine[]): string {
  const rows = lines.flatMap(({ name, versions, changes }) =>
    Object.entries(versions).map(([version, { state, since }]) => [
      `${name}/${version}`,
      state,
      since.slice(0, 16).replace("T", " "),
      changes.findLast((change) => change.version === version)?.reason ?? "",
    ]),
  );
  return table(
    [{ title: "model", max: 60 }, { title: "state" }, { title: "since" }, { title: "why", max: 80 }],
    rows,
  );
}

export function modelLines({ facts, state, since, changes }: RegisteredModel): readonly string[] {
  const { name, version, files, lineage, metrics } = facts;
  const { dataset } = lineage;
  const known = [
    ["files", files],
    ["dataset", dataset === null ? null : `${dataset.name}/${dataset.version}`],
    ["base", lineage.base],
    ["parent", lineage.parent === null ? null : `${name}/${lineage.parent}`],
    ["training", lineage.training],
    ["job", lineage.job],
    ["algorithm", lineage.algorithm],
    ["trainer", lineage.trainer_commit],
  ].flatMap(([title, value]) => (typeof value === "string" ? [`  ${title}: ${printable(value)}`] : []));
  return [
    `${name}/${version}  ${state} since ${since}`,
    ...known,
    ...Object.entries(metrics).map(([title, value]) => `  ${printable(title)}: ${figure(value, 4)}`),
    ...changes.map(
      ({ at, from, to, by, reason }) =>
        `  ${at.slice(0, 19)}  ${from === null ? "" : `${from} → `}${to}  ${printable(by)}: ${printable(reason)}`,
    ),
  ];
}

export function decisionLines(decision: Decision): readonly string[] {
  const { model, candidate, champion, verdict, conditions, alpha } = decision;
  const against = champion === null ? "no champion" : champion;
  return [
    `${model}/${candidate} against ${against}: ${verdict}  (α ${alpha.used.toPrecision(3)}, challenge ${alpha.challenge})`,
    ...conditions.map(
      (each) =>
        `  ${each.verdict.padEnd(7)}  ${numbersOf(each)}${each.reason === null ? "" : `; ${each.reason}`}`,
    ),
  ];
}

function numbersOf(condition: Condition): string {
  switch (condition.id) {
    case "data":
      return `data: ${condition.pairs} pairs${condition.planned === null ? "" : ` of ${condition.planned} planned`}`;
    case "failed":
      return `failed: ${percent(condition.share.candidate)} and ${percent(condition.share.champion)}, at most ${percent(condition.most)}`;
    case "size":
      return `size: ${condition.tasks} tasks, ${condition.episodes} pairs that both ended`;
    default: {
      const { metric, mean, difference, test } = condition;
      const interval =
        difference?.value == null || difference.interval.low === null
          ? ""
          : ` [${figure(difference.interval.low)}, ${figure(difference.interval.high)}]`;
      const change = difference?.value == null ? "" : `, difference ${figure(difference.value)}${interval}`;
      const p = test.p === null ? "" : `, p ${test.p.toPrecision(3)}`;
      return `${metric}: ${figure(mean.candidate)} and ${figure(mean.champion)}${change}${p}`;
    }
  }
}

function percent(share: number | null): string {
  return share === null ? "–" : `${(share * 100).toFixed(1)} %`;
}
