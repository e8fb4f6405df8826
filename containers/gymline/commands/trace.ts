import type { Command } from "commander";
import { datasetPrefix } from "../../../shared/contracts/keys.ts";
import { type Lineage, lineagesOf } from "../lineage.ts";
import { examples } from "../options.ts";
import { rejectionReport } from "../reports.ts";
import { inStore, type StoreOption, storeOrDeployment } from "../store-access.ts";
import { many, out, printable } from "../terminal.ts";
import { lineageLines } from "../trace-report.ts";
import { type Subject, subjectOf } from "../trace-subject.ts";

interface TraceOptions extends StoreOption {
  readonly json?: boolean;
}

/** Rejections of a file that are shown. */
const SHOWN = 5;

export function addTrace(program: Command): void {
  const command = program
    .command("trace")
    .description(
      "follow a dataset row or a trajectory back to its log, or a log forward to the rows made of it",
    )
    .argument(
      "<subject>",
      "id of a trajectory, model:<name>/<version>, row (<dataset>/<version>:<split>:<number>, or its file with :<line>), or dropped file (with :<line>)",
    )
    .option("--json", "print JSON");
  storeOrDeployment(command);
  examples(command, [
    "gymline trace 3f2a91",
    "gymline trace sft/5750:train:17",
    "gymline trace out/datasets/sft/5750a653a266/train-00001.jsonl:17",
    "gymline trace model:agent/2",
    "gymline trace coding-team/runs/output.jsonl:3 --json",
  ]).action(trace);
}

async function trace(text: string, options: TraceOptions): Promise<void> {
  await inStore(options, {
    mode: "read",
    work: async (opened) => {
      const subject = await subjectOf(text, opened);
      const lineages = await lineagesOf(subject.ids, opened);
      if (options.json === true) out(JSON.stringify(traceJson(text, { subject, lineages })));
      else for (const line of [...headLines(subject), ...lineages.flatMap(lineageLines)]) out(line);
    },
  });
}

function traceJson(
  text: string,
  { subject, lineages }: { readonly subject: Subject; readonly lineages: readonly Lineage[] },
): unknown {
  const { kind } = subject;
  const row = kind === "row" ? { dataset: subject.dataset, version: subject.version, ...subject.row } : null;
  return {
    schema: "gymline.trace.v1",
    subject: text,
    kind,
    row,
    ...(kind === "model" ? { model: subject.model, dataset: subject.dataset } : {}),
    object: kind === "file" ? (subject.object ?? null) : null,
    rejections: kind === "file" ? subject.rejections : [],
    trajectories: lineages,
  };
}

function headLines(subject: Subject): readonly string[] {
  if (subject.kind === "trajectory") return [];
  if (subject.kind === "model") {
    const { model, dataset, ids } = subject;
    const of = dataset === null ? "of an unknown dataset" : `of ${dataset.name}/${dataset.version}`;
    return [
      `${model.name}/${model.version}, trained on ${many(ids.length, "trajectory", "trajectories")} ${of}`,
    ];
  }
  if (subject.kind === "row") {
    const { dataset, version, row, ids } = subject;
    return [
      `row ${row.number} of ${row.split}, made of ${many(ids.length, "trajectory", "trajectories")}`,
      `  ${datasetPrefix(dataset, version)}${row.path}:${row.line}`,
    ];
  }
  const { key, line, object, rejections } = subject;
  const facts =
    object === undefined
      ? ""
      : `  ${many(object.records, "record")}, ${many(object.trajectories, "trajectory", "trajectories")}, ${object.rejected} rejected`;
  return [
    `${printable(key)}${line === undefined ? "" : `:${line}`}${facts}`,
    ...(rejections.length === 0
      ? []
      : [rejectionReport(rejections, { total: rejections.length, shown: SHOWN })]),
  ];
}
