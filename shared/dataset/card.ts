import type { DatasetFacts } from "./manifest.ts";
import { typeText } from "./targets/column-type.ts";
import { featuresYaml } from "./targets/hugging-face-features.ts";
import { type TargetId, targetOf } from "./targets/targets.ts";

/** The dataset card (README.md): YAML front matter as Hugging Face reads it, then facts for people. */
export function datasetCard(manifest: DatasetFacts, targetId: TargetId): string {
  const target = targetOf(targetId);
  const { statistics, selection } = manifest;
  const files = manifest.files.map(
    (file) => `| ${file.split} | \`${file.path}\` | ${file.rows} | ${file.tasks} | ${file.bytes} |`,
  );
  const columns = target.columns.map(
    ({ name, type, meaning }) => `| \`${name}\` | \`${typeText(type)}\` | ${meaning} |`,
  );
  const excluded = Object.entries(selection.excluded).map(
    ([reason, count]) => `| ${cell(reason)} | ${count} |`,
  );
  return `---
pretty_name: ${JSON.stringify(manifest.name)}
task_categories:
  - text-generation
tags:
  - agent-trajectories
  - tool-use
  - ${target.kind}
${dataFiles(manifest)}${featuresYaml(target.columns)}---

# ${manifest.name} ${manifest.version}

${manifest.rows} rows of redacted, scored trajectories of LLM agents, for ${target.trainer} (target ${targetId}): ${target.use}.

| split | file | rows | tasks | bytes |
|---|---|---|---|---|
${files.join("\n")}

All attempts at one task stand in one split (seed ${String(seedOf(manifest))}).

Load this folder with \`load_dataset\`, not a file of it alone: the front matter names the columns' types, which would otherwise be guessed from the first rows.

## Columns

| column | type | content |
|---|---|---|
${columns.join("\n")}

${[...(target.beside ?? []).map(({ name, meaning }) => `\`${name}\`: ${meaning}`), ...target.notes].map((note) => `- ${note}`).join("\n")}

## Selection

${selection.selected} of ${selection.considered} trajectories.${selection.unscored === undefined ? "" : ` Of these, ${selection.unscored} have no score: it did not come before the deadline.`}

| left out because | trajectories |
|---|---|
${excluded.length === 0 ? "| – | 0 |" : excluded.join("\n")}

## Contents

Reward: mean ${figure(statistics.reward_mean)}, from ${figure(statistics.reward_min)} to ${figure(statistics.reward_max)} (n = ${selection.selected} trajectories). Messages: ${statistics.messages}, of which ${statistics.trained_messages} are to be learnt. Redacted places: ${statistics.redactions}.

${["success", "domain", "format", "agent", "model"].map((by) => counts(by, statistics[`by_${by}` as keyof typeof statistics])).join("\n")}

Redaction is automatic and not complete: names of persons and the content of images are not found.
`;
}

/** The files of each split, as Hugging Face takes them. */
function dataFiles({ files }: DatasetFacts): string {
  if (files.length === 0) return "";
  const bySplit = Map.groupBy(files, ({ split }) => split);
  const entries = [...bySplit].map(([split, of]) => {
    const [only] = of;
    if (of.length === 1) return `      - split: ${split}\n        path: ${only?.path}\n`;
    return `      - split: ${split}\n        path:\n${of.map(({ path }) => `          - ${path}\n`).join("")}`;
  });
  return `configs:\n  - config_name: default\n    data_files:\n${entries.join("")}`;
}

function counts(by: string, values: unknown): string {
  const entries = Object.entries(values as Record<string, number>);
  return `- by ${by}: ${entries.map(([name, count]) => `${cell(name)} ${count}`).join(", ") || "–"}`;
}

function cell(text: string): string {
  return text.replace(/[|\r\n`<>]/g, " ");
}

function figure(value: number | null): string {
  return value === null ? "–" : value.toFixed(3);
}

function seedOf(manifest: DatasetFacts): unknown {
  const split = manifest.settings["split"];
  return typeof split === "object" && split !== null && "seed" in split ? split.seed : "none";
}
