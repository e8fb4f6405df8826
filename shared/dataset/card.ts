import type { Manifest } from "./manifest.ts";

/**
 * The columns' types as Hugging Face `datasets` takes them, so that a column that is empty in the first rows, or in
 * one split, is not taken for something else.
 */
const FEATURES = `dataset_info:
  features:
    - name: messages
      list:
        - {name: role, dtype: string}
        - {name: content, dtype: string}
        - {name: reasoning_content, dtype: string}
        - name: tool_calls
          list:
            - {name: id, dtype: string}
            - {name: type, dtype: string}
            - name: function
              struct:
                - {name: name, dtype: string}
                - {name: arguments, dtype: string}
        - {name: tool_call_id, dtype: string}
        - {name: name, dtype: string}
    - {name: tools, dtype: string}
    - {name: weights, list: int64}
    - {name: step_rewards, list: float64}
    - {name: reward, dtype: float64}
    - {name: success, dtype: bool}
${["id", "content_id", "task_id", "domain", "agent", "model", "format", "scorer", "tokens"].map((name) => `    - {name: ${name}, dtype: string}\n`).join("")}`;

/** The dataset card (README.md): YAML front matter as Hugging Face reads it, then facts for people. */
export function datasetCard(manifest: Manifest): string {
  const { statistics, selection } = manifest;
  const files = manifest.files.map(
    (file) => `| ${file.split} | \`${file.path}\` | ${file.rows} | ${file.tasks} | ${file.bytes} |`,
  );
  const configs = manifest.files.map((file) => `      - split: ${file.split}\n        path: ${file.path}`);
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
  - sft
${configs.length === 0 ? "" : `configs:\n  - config_name: default\n    data_files:\n${configs.join("\n")}\n`}${FEATURES}---

# ${manifest.name} ${manifest.version}

${manifest.rows} conversations of LLM agents with their tools, redacted and scored, for supervised fine-tuning.

| split | file | rows | tasks | bytes |
|---|---|---|---|---|
${files.join("\n")}

All attempts at one task stand in one split (seed ${String(seedOf(manifest))}).

Load this folder with \`load_dataset\`, not a file of it alone: the front matter names the columns' types, which would otherwise be guessed from the first rows.

## Columns

| column | content |
|---|---|
| \`messages\` | native chat messages with \`tool_calls\`, \`tool\` results and their ids; arguments are JSON text |
| \`tools\` | JSON text of the tool definitions, \`[]\` where the log has none |
| \`weights\` | per message: 1 to be learnt, 0 context |
| \`step_rewards\` | per message: process reward of the agent's step in [0, 1], else null |
| \`reward\`, \`success\` | total reward in [0, 1]; the verdict the source gave, null where it gave none |
| \`id\`, \`content_id\`, \`task_id\` | for tracing: \`gymline trace <id>\` names the log a row came from |
| \`domain\`, \`agent\`, \`model\`, \`format\`, \`scorer\`, \`tokens\` | where it comes from and how it was scored |

## Selection

${selection.selected} of ${selection.considered} trajectories.${selection.unscored === undefined ? "" : ` Of these, ${selection.unscored} have no score: it did not come before the deadline.`}

| left out because | trajectories |
|---|---|
${excluded.length === 0 ? "| – | 0 |" : excluded.join("\n")}

## Contents

Reward: mean ${figure(statistics.reward_mean)}, from ${figure(statistics.reward_min)} to ${figure(statistics.reward_max)} (n = ${manifest.rows}). Messages: ${statistics.messages}, of which ${statistics.trained_messages} are to be learnt. Redacted places: ${statistics.redactions}.

${["success", "domain", "format", "agent", "model"].map((by) => counts(by, statistics[`by_${by}` as keyof typeof statistics])).join("\n")}

Redaction is automatic and not complete: names of persons and the content of images are not found.
`;
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

function seedOf(manifest: Manifest): unknown {
  const split = manifest.settings["split"];
  return typeof split === "object" && split !== null && "seed" in split ? split.seed : "none";
}
