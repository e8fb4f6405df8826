import { type Column, typeText } from "../../../shared/dataset/targets/column-type.ts";
import type { Target } from "../../../shared/dataset/targets/target.ts";
import { TARGETS } from "../../../shared/dataset/targets/targets.ts";

/** The page of the documentation that says what each target's rows hold, made from the table in code. */
export function targetsPage(): string {
  const targets: readonly (readonly [string, Target])[] = Object.entries(TARGETS);
  const overview = targets.map(
    ([id, { kind, trainer, use, files }]) =>
      `| [\`${id}\`](#${id}) | ${kind} | ${trainer} | ${use} | ${files} |`,
  );
  return `# Targets

\`gymline export --target <name>\`, or \`dataset.target\` in the settings, says which trainer a dataset is for. This page is made from the table in \`shared/dataset/targets\`; a test keeps the two equal.

| target | kind | trainer | rows | files |
| --- | --- | --- | --- | --- |
${overview.join("\n")}

A split is \`train.jsonl\`, \`validation.jsonl\` and \`test.jsonl\`, or the same names with \`.parquet\`; with \`--shard-rows\`, \`train-00000.jsonl\` and so on. \`--parquet\` and \`--jsonl\` choose the file format; the rows are the same. Free JSON (type \`json\`) is JSON in JSON Lines and JSON text in Parquet. \`README.md\` tells Hugging Face \`datasets\` the columns' types, \`manifest.json\` counts and hashes every file.

Trajectories, tasks and pairs that make no row are counted with the reason in the manifest. Where none makes a row, nothing is written.

${targets.map(([id, target]) => section(id, target)).join("\n")}`;
}

function section(id: string, target: Target): string {
  const { columns, beside = [], notes, source } = target;
  const besides = beside.map(({ name, meaning }) => `- \`${name}\`: ${meaning}`);
  const remarks = [...besides, ...notes.map((note) => `- ${note}`)];
  return `## ${id}

${target.trainer}: ${target.use}. Format in the manifest: \`${target.format}\`.

| column | type | meaning | read by the trainer |
| --- | --- | --- | --- |
${columns.map(columnLine).join("\n")}
${remarks.length === 0 ? "" : `\n${remarks.join("\n")}\n`}${source.length === 0 ? "" : `\nColumns after ${source.map((page) => `<${page}>`).join(", ")}\n`}`;
}

function columnLine({ name, type, meaning, extra }: Column): string {
  return `| \`${name}\` | \`${typeText(type)}\` | ${meaning} | ${extra === true ? "no" : "yes"} |`;
}
