import type { TrajectoryBuilder } from "../builder.ts";
import { decodeJson } from "../depth.ts";
import { usageMetrics } from "./chat-metrics.ts";
import { readLabels } from "./labels.ts";
import {
  at,
  field,
  filled,
  type JsonRecord,
  keepRest,
  label,
  list,
  number,
  record,
  records,
} from "./read.ts";

const MESSAGE_LISTS = ["messages", "conversations", "conversation"] as const;
const TOOL_LISTS = ["tools", "functions", "available_tools"] as const;

/** Where a row holds its messages: a list, or the JSON text of a list (columnar data sets store it so). */
export function messagesOf(
  row: JsonRecord,
): { readonly key: string; readonly messages: readonly unknown[] } | undefined {
  for (const key of MESSAGE_LISTS) {
    const value = field(row, key);
    const messages = list(
      typeof value === "string" && value.trimStart().startsWith("[") ? decodeJson(value) : value,
    );
    if (messages !== undefined) return { key, messages };
  }
  return undefined;
}

/**
 * Everything of a row but its messages: tools, task, labels, ids. A row's own `id` is no task: it stays metadata,
 * so that two rows about the same first message count as attempts at one task.
 */
export function readRow(
  row: JsonRecord,
  builder: TrajectoryBuilder,
  known: { readonly used: readonly string[]; readonly path: string },
): void {
  const used = [...known.used, ...readTools(row, builder)];
  const metadata = record(field(row, "metadata"));
  const places: readonly (readonly [JsonRecord | undefined, string])[] = [
    [row, ""],
    [metadata, "metadata"],
    [record(field(row, "info")), "info"],
    [record(field(row, "outcome")), "outcome"],
    [record(field(row, "labels")), "labels"],
    [record(field(row, "extra")), "extra"],
  ];
  const labelled: string[] = [];
  for (const [place, path] of places) {
    if (place === undefined) continue;
    const read = readLabels(place, path, builder.outcome);
    if (path === "metadata") labelled.push(...read);
    if (path === "") used.push(...read);
  }
  used.push(
    ...readTask(row, metadata, builder),
    ...readRun(row, metadata, builder),
    ...readTotals(row, used, builder),
  );
  if (metadata !== undefined) {
    keepRest({ value: metadata, used: labelled, path: `${known.path}.metadata`, sink: builder });
    used.push("metadata");
  }
  keepRest({ value: row, used, path: known.path, sink: builder });
}

function readTools(row: JsonRecord, builder: TrajectoryBuilder): readonly string[] {
  const used: string[] = [];
  for (const key of TOOL_LISTS) {
    const value = field(row, key);
    const tools = records(typeof value === "string" ? decodeJson(value) : value);
    if (tools.length === 0) continue;
    used.push(key);
    if (builder.agentInfo.tool_definitions) builder.drop(`$.${key}`, "a second list of tools");
    else builder.agentInfo.tool_definitions = tools.map((tool) => ({ ...tool }));
  }
  return used;
}

const TASK_IDS = ["instance_id", "task_id", "problem_id"];
const DESCRIPTIONS = ["problem_statement", "task_description", "task", "question", "instruction"];
const TASK_FIELDS = ["repo", "base_commit", "test_command"] as const;

function readTask(
  row: JsonRecord,
  metadata: JsonRecord | undefined,
  builder: TrajectoryBuilder,
): readonly string[] {
  const used: string[] = [];
  const task = record(field(row, "task"));
  const nested = label(field(task, "id")) ?? label(field(task, "task_id"));
  const idKey = TASK_IDS.find((key) => label(field(row, key)) !== undefined);
  const id =
    (idKey === undefined ? undefined : label(field(row, idKey))) ??
    nested ??
    TASK_IDS.map((key) => label(field(metadata, key))).find((found) => found !== undefined);
  if (id !== undefined) builder.task.id = id;
  if (idKey !== undefined) used.push(idKey);
  const key = DESCRIPTIONS.find((name) => filled(field(row, name)) !== undefined);
  const description =
    (key === undefined ? undefined : filled(field(row, key))) ??
    filled(field(task, "description")) ??
    filled(at(metadata, "problem_statement"));
  if (description !== undefined) builder.task.description = description;
  if (key !== undefined) used.push(key);
  for (const name of TASK_FIELDS) {
    const value = filled(field(row, name)) ?? filled(field(metadata, name));
    if (value === undefined) continue;
    builder.task[name] = value;
    if (filled(field(row, name)) !== undefined) used.push(name);
  }
  return used;
}

/** Usage and cost of a row are those of the complete run. */
function readTotals(row: JsonRecord, used: readonly string[], builder: TrajectoryBuilder): readonly string[] {
  const usage = used.includes("response") ? {} : usageMetrics(field(row, "usage"));
  const costKey = ["cost", "cost_usd", "total_cost"].find(
    (key) => !used.includes(key) && number(field(row, key)) !== undefined,
  );
  const cost = costKey === undefined ? undefined : number(field(row, costKey));
  const totals = {
    ...(usage.prompt_tokens === undefined ? {} : { total_prompt_tokens: usage.prompt_tokens }),
    ...(usage.completion_tokens === undefined ? {} : { total_completion_tokens: usage.completion_tokens }),
    ...(usage.cached_tokens === undefined ? {} : { total_cached_tokens: usage.cached_tokens }),
    ...(cost === undefined ? {} : { total_cost_usd: cost }),
    ...(usage.extra === undefined ? {} : { extra: usage.extra }),
  };
  if (Object.keys(totals).length === 0) return [];
  builder.document.final_metrics = totals;
  return ["usage", ...(costKey === undefined ? [] : [costKey])];
}

const SESSIONS = ["session_id", "conversation_id", "thread_id", "chat_id"];

function readRun(
  row: JsonRecord,
  metadata: JsonRecord | undefined,
  builder: TrajectoryBuilder,
): readonly string[] {
  const used: string[] = [];
  for (const key of ["model", "model_name"]) {
    const model = filled(field(row, key)) ?? filled(field(metadata, key));
    if (model === undefined) continue;
    builder.agentInfo.model_name ??= model;
    used.push(key);
  }
  const agent =
    filled(field(row, "agent")) ?? filled(field(row, "agent_name")) ?? filled(field(metadata, "agent"));
  if (agent !== undefined) builder.agentInfo.name = agent;
  const version = filled(field(row, "agent_version"));
  if (version !== undefined) builder.agentInfo.version = version;
  const session = SESSIONS.find((key) => label(field(row, key)) !== undefined);
  if (session !== undefined) {
    builder.session = label(field(row, session));
    used.push(session);
  }
  const domain = filled(field(row, "domain")) ?? filled(field(metadata, "domain"));
  if (domain !== undefined) builder.domain = domain;
  for (const key of ["agent", "agent_name", "agent_version", "domain"]) {
    if (filled(field(row, key)) !== undefined) used.push(key);
  }
  return used;
}
