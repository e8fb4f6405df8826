import { TrajectoryBuilder } from "../builder.ts";
import type { Draft } from "../draft.ts";
import type { FormatInput } from "../format.ts";
import { readLabels, verdict } from "./labels.ts";
import { field, filled, type JsonRecord, keepRest, label, record, records, text } from "./read.ts";
import { addHistory } from "./swe-agent-history.ts";
import { listOrJson } from "./swe-agent-native.ts";
import { describeRun, firstRequest } from "./swe-agent-run.ts";
import { commandCall } from "./swe-agent-text.ts";

/** A data set's row of `{role, text, system_prompt, mask}` messages, labelled by `target`. */
export function convertRoleText({ value, variant }: FormatInput): Draft {
  const row = record(value) ?? {};
  const builder = rowBuilder(row);
  const source = records(listOrJson(field(row, "trajectory")));
  // Where the source marks any answer of the model for training, the ones it does not mark are not to be trained on.
  const masked = source.some((message) => isAnswer(message) && message["mask"] === true);
  const messages = source.map(
    (message): JsonRecord => ({
      role: isAnswer(message) ? "assistant" : message["role"],
      content: text(field(message, "text")) ?? text(field(message, "system_prompt")) ?? "",
      ...(masked && isAnswer(message) && message["mask"] === false ? { trainable: false } : {}),
    }),
  );
  const cutoff = source
    .map((message) => filled(field(message, "cutoff_date")))
    .find((date) => date !== undefined);
  if (cutoff !== undefined) builder.metadata["cutoff_date"] = cutoff;
  const model = label(field(row, "model_name"));
  if (model !== undefined) builder.agentInfo.model_name = model;
  const success = verdict(field(row, "target"));
  if (success !== undefined) {
    builder.outcome.success = success;
    builder.outcome.label_source = "target";
  }
  const status = label(field(row, "exit_status"));
  if (status !== undefined) builder.outcome.exit_status = status;
  keepResults(builder, { patch: field(row, "generated_patch"), eval_logs: field(row, "eval_logs") });
  const used = [
    "instance_id",
    "model_name",
    "target",
    "trajectory",
    "exit_status",
    "generated_patch",
    "eval_logs",
  ];
  keepRest({ value: row, used, path: "$", sink: builder });
  return finish(builder, messages, { variant, path: "$.trajectory" });
}

/** A data set's row of chat messages: text mode, function XML or native calls, labelled by `resolved`. */
export function convertMessageRow({ value, variant }: FormatInput): Draft {
  const row = record(value) ?? {};
  const builder = rowBuilder(row);
  const model = label(field(row, "model"));
  const session = label(field(row, "traj_id"));
  if (model !== undefined) builder.agentInfo.model_name = model;
  if (session !== undefined) builder.session = session;
  const labels = readLabels(row, "", builder.outcome);
  keepResults(builder, { patch: field(row, "patch") });
  const tools = records(listOrJson(field(row, "tools")));
  if (tools.length > 0) builder.agentInfo.tool_definitions = tools.map((tool) => ({ ...tool }));
  const used = [...labels, "instance_id", "messages", "model", "traj_id", "patch", "tools"];
  keepRest({ value: row, used, path: "$", sink: builder });
  return finish(builder, records(listOrJson(field(row, "messages"))), { variant, path: "$.messages" });
}

/** Pairs of `[action, observation]`; the action is a command line or an object with named arguments. */
export function convertPairs({ value, variant, stem }: FormatInput): Draft {
  const row = record(value) ?? {};
  const builder = new TrajectoryBuilder();
  describeRun(builder, row, stem);
  const statement = builder.task.description;
  if (statement !== undefined) {
    builder.user({ content: statement });
    builder.note("the log has no prompt; the problem statement stands for it");
  }
  const entries = field(row, "history");
  for (const pair of Array.isArray(entries) ? entries : []) {
    if (!Array.isArray(pair) || pair.length < 2)
      builder.drop("$.history[*]", "not a pair of action and observation");
    else addPair(builder, pair[0], pair[1]);
  }
  return builder.build(variant);
}

function addPair(builder: TrajectoryBuilder, action: unknown, observation: unknown): void {
  const named = record(action);
  const thought = text(field(named, "thought"));
  const call =
    named === undefined
      ? commandCall(text(action) ?? "")
      : {
          name: label(field(named, "action")) ?? "unknown",
          arguments: Object.fromEntries(
            Object.entries(named).filter(([key]) => key !== "action" && key !== "thought"),
          ),
        };
  builder.agent({
    content: thought ?? "",
    calls: call === undefined ? [] : [{ name: call.name, arguments: call.arguments }],
  });
  if (observation !== null && observation !== undefined) builder.result({ content: observation });
}

function rowBuilder(row: JsonRecord): TrajectoryBuilder {
  const builder = new TrajectoryBuilder();
  builder.agentInfo.name = "swe-agent";
  const id = label(field(row, "instance_id"));
  if (id !== undefined) builder.task.id = id;
  return builder;
}

function keepResults(builder: TrajectoryBuilder, results: Readonly<Record<string, unknown>>): void {
  const kept = Object.entries(results).filter(([, value]) => filled(value) !== undefined);
  if (kept.length > 0)
    builder.outcome.metadata = { ...builder.outcome.metadata, ...Object.fromEntries(kept) };
}

function finish(
  builder: TrajectoryBuilder,
  messages: readonly JsonRecord[],
  { variant, path }: { readonly variant: string; readonly path: string },
): Draft {
  const request = firstRequest(messages);
  if (request !== undefined) builder.task.description = request;
  addHistory(
    builder,
    messages.map((message) => ({ message })),
    path,
  );
  return builder.build(variant);
}

function isAnswer(message: JsonRecord): boolean {
  return message["role"] === "ai" || message["role"] === "assistant";
}
