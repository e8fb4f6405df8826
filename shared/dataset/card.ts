import type { CardSettings } from "./card-settings.ts";
import type { DatasetFacts } from "./manifest.ts";
import type { Plot } from "./quality/plots.ts";
import type { QualityReport } from "./quality/quality-report.ts";
import { qualitySection } from "./quality/quality-section.ts";
import { typeText } from "./targets/column-type.ts";
import { featuresYaml } from "./targets/hugging-face-features.ts";
import { type TargetId, targetOf } from "./targets/targets.ts";

/** The dataset card (README.md): YAML front matter as Hugging Face reads it, then facts for people. */
export function datasetCard(
  manifest: DatasetFacts,
  of: {
    readonly target: TargetId;
    readonly quality: QualityReport;
    /** Pictures that lie beside it. */
    readonly plots: readonly Plot[];
    readonly settings?: CardSettings | undefined;
  },
): string {
  const { target: targetId, settings = {} } = of;
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
${licenseLines(settings)}${listLines("language", settings.language ?? [])}task_categories:
  - text-generation
size_categories:
  - ${sizeCategory(manifest.rows)}
${listLines("tags", tagsOf(target.kind, settings))}${dataFiles(manifest)}${featuresYaml(target.columns)}---

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

${qualitySection(of.quality, of.plots)}
Redaction is automatic and not complete: names of persons and the content of images are not found.
`;
}

function tagsOf(kind: string, { tags = [] }: CardSettings): readonly string[] {
  return [...new Set(["agent-trajectories", "tool-use", "gymline", kind, ...tags])];
}

function licenseLines({ license, licenseName, licenseLink }: CardSettings): string {
  const lines = { license, license_name: licenseName, license_link: licenseLink };
  return Object.entries(lines)
    .map(([key, value]) => (value === undefined ? "" : `${key}: ${JSON.stringify(value)}\n`))
    .join("");
}

/** Quoted: to YAML, the language `no` would be false. */
function listLines(key: string, values: readonly string[]): string {
  if (values.length === 0) return "";
  return `${key}:\n${values.map((value) => `  - ${/^[a-z-]{4,}$/.test(value) ? value : JSON.stringify(value)}\n`).join("")}`;
}

const SIZES = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"];

/** Hugging Face's classes of size: `n<1K`, `1K<n<10K`, … */
export function sizeCategory(rows: number): string {
  const index = SIZES.findIndex((_, power) => rows < 10 ** (power + 3));
  if (index === 0) return `n<${SIZES[0]}`;
  return index < 0 ? `n>${SIZES.at(-1)}` : `${SIZES[index - 1]}<n<${SIZES[index]}`;
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
