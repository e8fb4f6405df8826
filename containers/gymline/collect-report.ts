import type { CollectResult } from "../../shared/collect/collect.ts";
import type { EpisodePlan } from "../../shared/collect/plan-episodes.ts";
import type { RunSettings } from "./collect-settings.ts";
import type { Uploaded } from "./collect-uploads.ts";
import { pc } from "./colours.ts";
import { usdText } from "./judge-report.ts";
import { estimateText } from "./statistics-text.ts";
import { many, printable, table } from "./terminal.ts";

interface Report {
  readonly result: CollectResult;
  readonly settings: RunSettings;
  readonly out: string;
  readonly uploaded: Uploaded | undefined;
}

/** The same as a document. */
export function collectJson({ result, settings, out, uploaded }: Report): unknown {
  const { entries, missing, ended, summary } = result;
  const failures = entries.flatMap(({ id, task, attempt, error }) =>
    error === null ? [] : [{ id, task, attempt, ...error }],
  );
  const { run, seed } = settings;
  return {
    schema: "gymline.collect.v1",
    ...{ run, seed, out, ended, missing: missing.length, summary, failures },
    ...(uploaded === undefined ? {} : { uploaded }),
  };
}

const WHY_ENDED: Readonly<Record<CollectResult["ended"], string>> = {
  done: "",
  budget: "the run's money is spent (--max-run-cost)",
  failures: "too many episodes failed one after another (--max-failures); see what they say below",
  stopped: "it was stopped",
};

/** Failures whose message is shown. */
const SHOWN = 5;

export function collectReport({ result, settings, out, uploaded }: Report): string {
  const { summary, missing, ended, entries } = result;
  const { episodes, tasks, tokens, costUsd } = summary;
  const prompt = tokens.input + tokens.cacheRead + tokens.cacheWrite;
  const cached = prompt === 0 ? "" : ` (${Math.round((tokens.cacheRead / prompt) * 100)} % from the cache)`;
  const rows = [
    ["episodes", `${episodes.done} done${episodes.failed === 0 ? "" : `, ${episodes.failed} failed`}`],
    ["success", estimateText(summary.success)],
    ...(summary.success.value === null
      ? []
      : [["tasks", `${tasks.solved} always solved, ${tasks.mixed} sometimes, ${tasks.unsolved} never`]]),
    ["reward", estimateText(summary.reward)],
    ["turns", estimateText(summary.turns)],
    ...(prompt === 0
      ? []
      : [
          ["tokens", `${prompt.toLocaleString("en")} in${cached}, ${tokens.output.toLocaleString("en")} out`],
        ]),
    ...(costUsd === null ? [] : [["cost", usdText(costUsd)]]),
    [
      "ended by",
      Object.entries(summary.stops)
        .map(([stop, count]) => `${stop} ${count}`)
        .join(", ") || "–",
    ],
  ];
  const failed = entries.filter(({ kind }) => kind === "failed");
  const lines = [
    `${pc.bold("Collected")}   run ${settings.run}, seed ${settings.seed}, in ${out}/${settings.folder}`,
    table([{ title: "" }, { title: "" }], rows)
      .split("\n")
      .slice(1)
      .join("\n"),
  ];
  if (ended !== "done") lines.push(`  ${pc.yellow("Not all was run:")} ${WHY_ENDED[ended]}.`);
  for (const { id, error } of failed.slice(0, SHOWN)) {
    lines.push(`  ${pc.red("failed")} ${printable(id)}: ${printable(`${error?.name}: ${error?.message}`)}`);
  }
  if (failed.length > SHOWN) lines.push(`  … ${failed.length - SHOWN} more in failures.jsonl`);
  if (missing.length > 0) {
    lines.push(
      `  ${many(missing.length, "episode")} left: gymline collect --resume ${settings.run} --out ${out}`,
    );
  }
  if (uploaded !== undefined) {
    lines.push(`  ${many(uploaded.files, "file")} in s3://${uploaded.bucket}`);
    for (const { source, reason } of uploaded.rejections.slice(0, SHOWN)) {
      lines.push(`  ${pc.red("not uploaded")} ${printable(source)}: ${printable(reason)}`);
    }
  } else lines.push(`  Take them in: gymline run ${out}`);
  return lines.join("\n");
}

export function planReport(episodes: readonly EpisodePlan[]): string {
  const rows = episodes.slice(0, 20).map(({ id, seed, task }) => [id, String(seed), task.description ?? ""]);
  const more = episodes.length > 20 ? `\n  … ${episodes.length - 20} more` : "";
  const columns = [
    { title: "episode" },
    { title: "seed", align: "right" as const },
    { title: "task", max: 60 },
  ];
  return `${many(episodes.length, "episode")} would be run\n${table(columns, rows)}${more}`;
}
