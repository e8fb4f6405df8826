import { TrajectoryBuilder } from "../builder.ts";
import { contentText, readContent } from "../content.ts";
import { decodeJson } from "../depth.ts";
import type { Draft } from "../draft.ts";
import { verdict } from "./labels.ts";
import type { JsonRecord } from "./read.ts";
import { at, count, field, filled, keepRest, label, number, record, records, rest, text } from "./read.ts";
import { align } from "./swe-agent-align.ts";
import { addHistory, type HistoryItem } from "./swe-agent-history.ts";
import { isDiff } from "./swe-agent-native.ts";
import { instanceName, problemStatement } from "./swe-agent-text.ts";

interface RunInput {
  readonly run: JsonRecord;
  readonly variant: string;
  readonly stem: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const RUN_KEYS = [
  "history",
  "trajectory",
  "info",
  "replay_config",
  "environment",
  "attempts",
  "instance_id",
  "problem_statement",
  "resolved",
];
const INFO_KEYS = [
  "exit_status",
  "submission",
  "model_stats",
  "edited_files30",
  "edited_files50",
  "edited_files70",
  "swe_agent_version",
  "instance_id",
  "model_name",
  "repo",
  "base_commit",
  "resolved",
];
/** Names in the model setting that stand for a replayed or typed run. */
const NO_MODEL = new Set(["replay", "human", "human_thought", "instant_empty_submit"]);

/** Converts one `.traj` document (or one attempt of it). */
export function convertRun({ run, variant, stem, metadata }: RunInput): Draft {
  const builder = new TrajectoryBuilder();
  describeRun(builder, run, stem);
  Object.assign(builder.metadata, metadata);
  const history = records(field(run, "history"));
  const steps = records(field(run, "trajectory"));
  reportSteps(builder, steps);
  if (history.length === 0) {
    builder.note("the log has no history; the messages are those of the trajectory list");
    addHistory(builder, steps.flatMap(stepItems), "$.trajectory");
  } else {
    const { items, takenBack, tail } = align(history, steps);
    const reason = "an attempt that the history does not hold: the model was asked again";
    if (takenBack > 0) builder.drop("$.trajectory[*]", reason, takenBack);
    const native = history.some((message) => records(field(message, "tool_calls")).length > 0);
    const ending = tail
      .filter(hasText)
      .map((step): HistoryItem => ({ message: endMessage(step), step, rebuilt: native }));
    if (ending.length > 0)
      builder.note(
        "the run's last steps stand in the trajectory list only; native calls are rebuilt from the command",
      );
    addHistory(builder, [...items, ...ending], "$.history");
  }
  builder.task.description ??= firstRequest(history);
  if (builder.task.description === undefined) delete builder.task.description;
  return builder.build(variant);
}

/** Task, agent, outcome and totals: what a document says beside its messages. */
export function describeRun(builder: TrajectoryBuilder, run: JsonRecord, stem: string): void {
  const info = record(field(run, "info")) ?? {};
  const version = label(field(info, "swe_agent_version"));
  builder.agentInfo.name = "swe-agent";
  if (version !== undefined) builder.agentInfo.version = version;
  describeSettings(builder, field(run, "replay_config"));
  const model = label(field(info, "model_name")) ?? label(field(run, "model_name_or_path"));
  if (model !== undefined) builder.agentInfo.model_name = model;
  const id = label(field(info, "instance_id")) ?? label(field(run, "instance_id")) ?? builder.task.id;
  const named = id ?? instanceName(stem);
  if (named !== undefined) builder.task.id = named;
  const statement = filled(field(run, "problem_statement"));
  if (statement !== undefined) builder.task.description = statement;
  const repo = label(field(info, "repo"));
  const commit = label(field(info, "base_commit"));
  if (repo !== undefined) builder.task.repo = repo;
  if (commit !== undefined) builder.task.base_commit = commit;
  describeOutcome(builder, run, info);
  const environment = filled(field(run, "environment"));
  if (environment !== undefined) builder.metadata["environment"] = environment;
  keepRest({ value: run, used: RUN_KEYS, path: "$", sink: builder });
  keepRest({ value: info, used: INFO_KEYS, path: "$.info", sink: builder });
}

function describeOutcome(builder: TrajectoryBuilder, run: JsonRecord, info: JsonRecord): void {
  const { outcome } = builder;
  const status = label(field(info, "exit_status"));
  if (status !== undefined) outcome.exit_status = status;
  const submission = filled(field(info, "submission"));
  if (submission !== undefined) {
    outcome.metadata = isDiff(submission) ? { patch: submission } : { submission };
  }
  for (const [source, place] of [
    [run, "resolved"],
    [info, "info.resolved"],
  ] as const) {
    const resolved = verdict(field(source, "resolved"));
    if (resolved === undefined || outcome.success !== null) continue;
    outcome.success = resolved;
    outcome.label_source = place;
  }
  for (const key of ["edited_files30", "edited_files50", "edited_files70"] as const) {
    if (filled(field(info, key)) !== undefined) {
      builder.drop(`$.info.${key}`, "a view of the files that the patch changes");
    }
  }
  const stats = record(field(info, "model_stats"));
  if (stats === undefined) return;
  const sent = count(field(stats, "tokens_sent"));
  const received = count(field(stats, "tokens_received"));
  const cost = number(field(stats, "instance_cost")) ?? number(field(stats, "total_cost"));
  const { kept } = rest(stats, ["tokens_sent", "tokens_received", "instance_cost"]);
  builder.document.final_metrics = {
    ...(sent === undefined ? {} : { total_prompt_tokens: sent }),
    ...(received === undefined ? {} : { total_completion_tokens: received }),
    ...(cost === undefined ? {} : { total_cost_usd: cost }),
    ...(Object.keys(kept).length === 0 ? {} : { extra: kept }),
  };
}

/** `replay_config` is an object, or in later versions its JSON text. */
function describeSettings(builder: TrajectoryBuilder, value: unknown): void {
  const settings = record(value) ?? record(decodeJson(value));
  if (settings === undefined) return;
  const { task } = builder;
  const model = at(settings, "agent", "model");
  const name = label(field(model, "name"));
  if (name !== undefined && NO_MODEL.has(name))
    builder.note("the actions were replayed or typed, not sampled");
  else if (name !== undefined) builder.agentInfo.model_name = name;
  // The key for the model is a secret, not a setting.
  const { kept } = rest(model, ["name", "api_key"]);
  if (Object.keys(kept).length > 0) builder.metadata["model_settings"] = kept;
  const problem = field(settings, "problem_statement");
  const id = label(field(problem, "id"));
  const statement = filled(field(problem, "text")) ?? filled(field(problem, "problem_statement"));
  if (id !== undefined) task.id = id;
  if (statement !== undefined) task.description = statement;
  const url = filled(field(problem, "github_url"));
  if (url !== undefined) task.metadata = { issue: url };
  const repo = at(settings, "env", "repo");
  // A name or path in the container (`testbed`) says nothing about which repository it is.
  const place = filled(field(repo, "github_url"));
  const commit = label(field(repo, "base_commit"));
  if (place !== undefined) task.repo = place;
  if (commit !== undefined && commit !== "HEAD") task.base_commit = commit;
  builder.drop("$.replay_config", "settings of the framework; the templates stand rendered in the messages");
}

function reportSteps(builder: TrajectoryBuilder, steps: readonly JsonRecord[]): void {
  const responses = steps.filter((step) => filled(field(step, "response")) !== undefined).length;
  const queries = steps.filter(
    (step) => step["query"] !== undefined || step["messages"] !== undefined,
  ).length;
  if (responses > 0) builder.drop("$.trajectory[*].response", "repeats the history", responses);
  if (queries > 0) builder.drop("$.trajectory[*].query", "repeats the history up to each step", queries);
}

/** A step as a pair of messages, for a document without a history. */
function stepItems(step: JsonRecord): readonly HistoryItem[] {
  return hasText(step) ? [{ message: endMessage(step), step }] : [];
}

function hasText(step: JsonRecord): boolean {
  return filled(field(step, "response")) !== undefined || filled(field(step, "action")) !== undefined;
}

/** The message of a step that only the trajectory list has. */
function endMessage(step: JsonRecord): JsonRecord {
  const action = text(field(step, "action")) ?? "";
  return {
    role: "assistant",
    content: text(field(step, "response")) ?? "",
    action,
    ...(text(field(step, "thought")) === undefined ? {} : { thought: field(step, "thought") }),
  };
}

/** The problem statement out of the first message that is neither a demonstration nor an answer. */
export function firstRequest(messages: readonly JsonRecord[]): string | undefined {
  const first = messages.find((message) => message["role"] === "user" && message["is_demo"] !== true);
  if (first === undefined) return undefined;
  const content = contentText(
    readContent(field(first, "content"), "", { attach: () => "", drop: () => undefined }),
  );
  return content.trim() === "" ? undefined : problemStatement(content);
}
