import type { TrajectoryBuilder } from "../builder.ts";
import { applyTotals } from "./openhands-response.ts";
import {
  at,
  count,
  field,
  filled,
  has,
  integer,
  type JsonRecord,
  json,
  keepRest,
  label,
  list,
  record,
  records,
  rest,
  text,
} from "./read.ts";

/** Fields of a row that are read here; what else stands in it becomes metadata. */
const USED = [
  ...["instance_id", "instance", "instruction", "issue", "base_commit", "repo", "problem_statement"],
  ...["test_result", "report", "resolved", "success", "success_explanation", "comment_success", "git_patch"],
  ...["error", "metrics", "metadata", "tools", "details", "feedback", "polarity", "token", "email", "id"],
  ...["trajectory", "history", "events", "content", "messages", "run_id", "timestamp"],
];

/** Task, model, tools and outcome of a row: of an evaluation, an export or a feedback wrapper. */
export function applyRow(row: JsonRecord, builder: TrajectoryBuilder): void {
  applyTask(row, builder);
  applyRun(row, builder);
  const details = record(field(row, "details"));
  applyLabels(row, "", builder);
  if (details !== undefined) applyLabels(details, "details.", builder);
  applyFeedback(row, builder);
  if (details !== undefined) applyFeedback(details, builder);
  applyEnd(row, builder);
  if (has(row, "metrics")) applyMetrics(field(row, "metrics"), builder);
  keepRest({ value: row, used: USED, path: "$", sink: builder });
  if (details !== undefined) {
    keepRest({ value: details, used: [...USED, "version"], path: "$.details", sink: builder });
  }
}

function applyTask(row: JsonRecord, builder: TrajectoryBuilder): void {
  const { task } = builder;
  const instance = field(row, "instance");
  const issue = field(row, "issue");
  const owner = label(field(issue, "owner"));
  const repo = label(field(issue, "repo"));
  const number = label(field(issue, "number"));
  const place = owner === undefined || repo === undefined ? undefined : `${owner}/${repo}`;
  const issueId = place === undefined || number === undefined ? undefined : `${place}#${number}`;
  const isRun = has(field(row, "details"), "run_id") || has(row, "messages");
  const rowId = label(field(row, "id"));
  const id = label(field(row, "instance_id")) ?? label(field(instance, "instance_id")) ?? issueId;
  if (id !== undefined) task.id = id;
  else if (isRun && rowId !== undefined) task.id = rowId;
  else if (rowId !== undefined) builder.session = rowId;
  const title = filled(field(issue, "title"));
  const body = filled(field(issue, "body"));
  const issueText = [title, body].filter((part) => part !== undefined).join("\n\n");
  const description =
    filled(field(row, "problem_statement")) ??
    filled(field(instance, "problem_statement")) ??
    (issueText === "" ? undefined : issueText) ??
    filled(field(row, "instruction"));
  if (description !== undefined) task.description = description;
  const repository = filled(field(row, "repo")) ?? filled(field(instance, "repo")) ?? place;
  if (repository !== undefined) task.repo = repository;
  const commit = filled(field(row, "base_commit")) ?? filled(field(instance, "base_commit"));
  if (commit !== undefined) task.base_commit = commit;
  const { kept, large } = rest(instance, ["instance_id", "problem_statement", "repo", "base_commit"]);
  for (const _ of large) builder.drop("$.instance.*", "a large field of the benchmark's instance");
  if (Object.keys(kept).length > 0) task.metadata = kept;
  if (has(row, "instruction") && task.description !== row["instruction"]) {
    builder.drop("$.instruction", "repeats the first message");
  }
}

/** The model's settings worth keeping; the rest of a client's configuration holds addresses and credentials. */
const SAMPLING = ["temperature", "top_p", "top_k", "reasoning_effort", "max_output_tokens", "seed"];

function applyRun(row: JsonRecord, builder: TrajectoryBuilder): void {
  const { agentInfo, metadata } = builder;
  const run = field(row, "metadata");
  const client = field(run, "llm_config");
  const runId = label(field(row, "run_id")) ?? label(at(row, "details", "run_id"));
  const model = filled(field(client, "model")) ?? modelOfRun(runId);
  if (model !== undefined) agentInfo.model_name = model;
  const agentClass = filled(field(run, "agent_class"));
  if (agentClass !== undefined) agentInfo.extra = { ...agentInfo.extra, agent_class: agentClass };
  if (runId !== undefined) metadata["run_id"] = runId;
  const sampling = Object.entries(record(client) ?? {}).filter(
    ([key, value]) => SAMPLING.includes(key) && value !== null,
  );
  if (sampling.length > 0) metadata["llm_config"] = Object.fromEntries(sampling);
  if (client !== undefined) builder.drop("$.metadata.llm_config", "settings of the model's client");
  keepRest({ value: run, used: ["llm_config", "agent_class"], path: "$.metadata", sink: builder });
  const given = field(row, "tools") ?? at(row, "details", "tools");
  const tools = records(list(given) ?? json(given));
  if (tools.length > 0) agentInfo.tool_definitions = tools.map((tool) => ({ ...tool }));
  else if (given !== undefined && given !== null) builder.drop("$.tools", "not a list of tool definitions");
}

/** Evaluation runs are named `<model>_maxiter_<n>_N_<version>…`. */
function modelOfRun(runId: string | undefined): string | undefined {
  const end = runId?.indexOf("_maxiter_") ?? -1;
  return end > 0 ? runId?.slice(0, end) : undefined;
}

/** Verdicts, the tests' before a model's. */
function applyLabels(row: JsonRecord, prefix: string, builder: TrajectoryBuilder): void {
  const { outcome } = builder;
  const given = field(row, "test_result");
  const tests = record(given) ?? record(json(given));
  const instance = label(field(row, "instance_id"));
  const reports: readonly (readonly [string, unknown])[] = [
    ["report", field(row, "report")],
    ["test_result.report", field(tests, "report")],
    ...(instance === undefined ? [] : [["report[instance_id]", at(row, "report", instance)] as const]),
  ];
  const verdicts: readonly (readonly [string, unknown])[] = [
    ["resolved", field(row, "resolved")],
    ...reports.map(([path, report]) => [`${path}.resolved`, field(report, "resolved")] as const),
    ["test_result.resolved", field(tests, "resolved")],
    // The resolver asks a model whether the issue is solved: a verdict, but not one of tests.
    ["success (a model's verdict)", field(row, "success")],
  ];
  const found = verdicts.find(([, value]) => verdict(value) !== undefined);
  if (found !== undefined) {
    outcome.success = verdict(found[1]) ?? null;
    outcome.label_source = prefix + found[0];
  }
  for (const [path, report] of reports) applyReport(path, report, builder);
  const patch = text(field(row, "git_patch")) ?? text(field(tests, "git_patch"));
  const explanation = text(field(row, "success_explanation"));
  outcome.metadata = {
    ...outcome.metadata,
    ...(patch === undefined ? {} : { git_patch: patch }),
    ...(explanation === undefined ? {} : { success_explanation: explanation }),
  };
  const { kept, large } = rest(tests, ["git_patch", "report", "resolved"]);
  outcome.metadata = { ...outcome.metadata, ...kept };
  for (const _ of large) builder.drop("$.test_result.*", "output of the evaluation");
  if (Object.keys(outcome.metadata).length === 0) delete outcome.metadata;
}

function verdict(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  const word = value.toLowerCase();
  return word === "true" ? true : word === "false" ? false : undefined;
}

function applyReport(path: string, report: unknown, builder: TrajectoryBuilder): void {
  const { outcome } = builder;
  const { kept } = rest(report, ["resolved", "tests_status"]);
  const flags = Object.entries(kept).filter(([, value]) => typeof value === "boolean");
  if (flags.length > 0) outcome.metadata = { ...outcome.metadata, report: Object.fromEntries(flags) };
  let passed = 0;
  let failed = 0;
  for (const group of Object.values(record(field(report, "tests_status")) ?? {})) {
    passed += list(field(group, "success"))?.length ?? 0;
    failed += list(field(group, "failure"))?.length ?? 0;
  }
  if (passed + failed === 0) return;
  Object.assign(outcome, { tests_passed: passed, tests_failed: failed, tests_total: passed + failed });
  builder.drop(`$.${path}.tests_status`, "names of the tests; their counts are kept");
}

/** A thumb is a person's opinion of the talk, not a verdict on the task: `success` stays as labels have it. */
function applyFeedback(row: JsonRecord, builder: TrajectoryBuilder): void {
  const { outcome, metadata } = builder;
  const words = filled(field(row, "feedback"));
  const polarity = filled(field(row, "polarity"));
  const feedback = words ?? polarity;
  if (feedback === undefined) return;
  outcome.feedback = feedback;
  outcome.label_source ??= words === undefined ? "polarity" : "feedback";
  if (polarity !== undefined && words !== undefined) {
    outcome.metadata = { ...outcome.metadata, feedback_polarity: polarity };
  }
  const time = label(field(row, "timestamp"));
  if (time !== undefined) metadata["feedback_timestamp"] = time;
  for (const key of ["token", "email"]) {
    if (has(row, key)) builder.drop(`$.${key}`, "personal data of the person who gave feedback");
  }
}

function applyEnd(row: JsonRecord, builder: TrajectoryBuilder): void {
  const error = filled(field(row, "error"));
  if (error === undefined) return;
  builder.outcome.exit_status = "error";
  builder.outcome.metadata = { ...builder.outcome.metadata, error };
}

function applyMetrics(metrics: unknown, builder: TrajectoryBuilder): void {
  applyTotals(metrics, builder);
  if (record(metrics) !== undefined && integer(count(list(field(metrics, "costs"))?.length)) !== undefined) {
    builder.drop("$.metrics (per call)", "costs and latencies that name no step");
  }
}
