import type { Manifest } from "../../shared/dataset/manifest.ts";
import { CHECKS } from "../../shared/dataset/quality/checks.ts";
import type { Rejection } from "../../shared/reading/rejection.ts";
import type { ExportResult } from "../../shared/stages/export.ts";
import type { IngestedItem } from "../../shared/stages/ingest.ts";
import { pc } from "./colours.ts";
import { figure, many, printable, table, verdict } from "./terminal.ts";

/** `file.jsonl:12 $.steps[3]`, as editors take it. */
export function placeText(rejection: Rejection): string {
  const entry = rejection.entry === undefined ? "" : `!${rejection.entry}`;
  const line = rejection.line === undefined ? "" : `:${rejection.line}`;
  const path = rejection.jsonPath === undefined || rejection.jsonPath === "$" ? "" : ` ${rejection.jsonPath}`;
  return printable(`${rejection.source}${entry}${line}${path}`);
}

export function rejectionReport(
  rejections: readonly Rejection[],
  options: { readonly total: number; readonly shown: number },
): string {
  const lines = [`${pc.bold("Rejected")}  ${many(options.total, "input")}`];
  let told = 0;
  for (const { first, count, last } of alike(rejections).slice(0, options.shown)) {
    const upTo = last.line === undefined ? "" : `, up to line ${last.line}`;
    const others = count === 1 ? "" : `  ${pc.dim(`and ${count - 1} more like it${upTo}`)}`;
    lines.push(`  ${pc.red("✗")} ${placeText(first)}  ${pc.dim(first.code)}${others}`);
    lines.push(`    ${printable(first.reason)}`);
    lines.push(`    ${pc.dim("→")} ${printable(first.remedy)}`);
    told += count;
  }
  if (options.total > told) lines.push(`  … and ${options.total - told} more`);
  return lines.join("\n");
}

interface Alike {
  readonly first: Rejection;
  last: Rejection;
  count: number;
}

/** Rejections of one file that follow each other with one reason: a foreign log has one for each of its lines. */
function alike(rejections: readonly Rejection[]): readonly Alike[] {
  const groups: Alike[] = [];
  for (const rejection of rejections) {
    const group = groups.at(-1);
    const same = (["source", "entry", "code", "reason"] as const).every(
      (field) => group?.first[field] === rejection[field],
    );
    if (group !== undefined && same) {
      group.last = rejection;
      group.count += 1;
    } else groups.push({ first: rejection, last: rejection, count: 1 });
  }
  return groups;
}

export function scoreTable(
  items: readonly IngestedItem[],
  options: { readonly shown: number; readonly store: string },
): string {
  const shown = items.slice(0, options.shown);
  const body = table(
    [
      { title: "id" },
      { title: "task", max: 34 },
      { title: "format" },
      { title: "domain" },
      { title: "agent", max: 20 },
      { title: "solved" },
      { title: "reward", align: "right" },
      { title: "process", align: "right" },
      { title: "steps", align: "right" },
      { title: "redacted", align: "right" },
      { title: "warnings", align: "right" },
      { title: "" },
    ],
    shown.map(({ row, score, outcome, domain }) => [
      row.id.slice(0, 10),
      row.taskId ?? "–",
      row.format,
      domain,
      row.agent,
      verdict(row.success),
      figure(score?.reward ?? null),
      figure(score?.process ?? null),
      String(row.agentSteps),
      String(row.redactions),
      String(row.warnings),
      outcome === "new" ? "" : outcome,
    ]),
  );
  const more = items.length - shown.length;
  const rest = more > 0 ? `\n  … and ${more} more: gymline list --store ${options.store}` : "";
  return `${pc.bold("Scores")}    rule layer and outcome, 0 to 1; – means that nothing says so\n${body}${rest}`;
}

export function datasetReport(result: ExportResult, store: string): string {
  if (result.kind === "empty") {
    const unlabelled = result.excluded["no outcome label"] !== undefined;
    return [
      `${pc.bold("Dataset")}   none: of ${many(result.considered, "trajectory", "trajectories")} none makes a row`,
      excludedText(result.excluded),
      excludedText(result.pairsLeftOut ?? {}, "pairs left out"),
      excludedText(result.tasksLeftOut ?? {}, "tasks left out"),
      unlabelled ? `  ${pc.dim("→")} --success any takes logs without a verdict too` : "",
    ]
      .filter((line) => line !== "")
      .join("\n");
  }
  const { manifest, prefix, kind } = result;
  const files = manifest.files.map(
    (file) => `  ${file.path.padEnd(18)} ${many(file.rows, "row")}, ${many(file.tasks, "task")}`,
  );
  return [
    `${pc.bold("Dataset")}   ${store}/${prefix}${kind === "unchanged" ? "  (unchanged)" : ""}`,
    ...files,
    tokensText(manifest.statistics.tokens),
    ...qualityLines(manifest),
    excludedText(manifest.selection.excluded),
    excludedText(manifest.selection.pairs_left_out ?? {}, "pairs left out"),
    excludedText(manifest.selection.tasks_left_out ?? {}, "tasks left out"),
  ]
    .filter((line) => line !== "")
    .join("\n");
}

function tokensText(tokens: Manifest["statistics"]["tokens"]): string {
  if (tokens === undefined) return "";
  const { total, max, by, tokenizer, of } = tokens;
  const rendered = of === "chat-template" ? "with its chat template" : "texts alone";
  const how =
    by === "estimate" ? "estimated" : `by ${tokenizer?.name} ${tokenizer?.sha256.slice(0, 8)}, ${rendered}`;
  return `  ${many(total, "token")}, ${max ?? 0} in the longest (${how})`;
}

/** What is in the set and what its checks found, in a few lines. */
function qualityLines({ statistics, selection, checks = [], name, version }: Manifest): readonly string[] {
  const { reward_mean: mean, reward_min: min, reward_max: max, messages, redactions } = statistics;
  const reward = mean === null ? "no rewards" : `reward ${figure(mean)} (${figure(min)} to ${figure(max)})`;
  const facts = [
    many(selection.selected, "trajectory", "trajectories"),
    many(messages, "message"),
    reward,
    many(redactions, "redacted place"),
  ];
  const found = checks.map(
    ({ id, outcome, count }) => `  ${pc.yellow("!")} ${outcome} ${id}: ${count} (${CHECKS[id].finds})`,
  );
  const more = `gymline quality ${name}/${version}`;
  return [
    `  ${facts.join(", ")}`,
    found.length === 0 ? "  checks: nothing found" : `  checks: ${more} tells where`,
    ...found,
  ];
}

function excludedText(excluded: Readonly<Record<string, number>>, what = "left out"): string {
  const reasons = Object.entries(excluded).map(([reason, count]) => `${count} ${reason}`);
  return reasons.length === 0 ? "" : `  ${what}: ${reasons.join("; ")}`;
}
