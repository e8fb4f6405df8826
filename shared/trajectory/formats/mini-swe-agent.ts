import { TrajectoryBuilder } from "../builder.ts";
import type { Draft } from "../draft.ts";
import { ConversionError, type Detection, type Format, type FormatInput } from "../format.ts";
import { readLabels, verdict } from "./labels.ts";
import { addMessages, returnCode } from "./mini-swe-agent-messages.ts";
import {
  at,
  count,
  field,
  filled,
  has,
  type JsonRecord,
  keepRest,
  label,
  list,
  nearness,
  number,
  record,
  records,
  rest,
  text,
} from "./read.ts";
import { isDiff, listOrJson } from "./swe-agent-native.ts";
import { firstRequest } from "./swe-agent-run.ts";
import { instanceName } from "./swe-agent-text.ts";

const HEAD = 12;
const MARK = "mini-swe-agent";

/** mini-swe-agent: `.traj.json` of 1.x and 2.x, older bare lists of messages, and data set rows made with it. */
export const miniSweAgent: Format = {
  name: "mini-swe-agent",
  description:
    "mini-swe-agent 1.x and 2.x .traj.json (text, tool calls, responses), bare message lists, rows",
  version: "1",
  detect,
  convert,
};

function detect(value: unknown): Detection {
  if (Array.isArray(value)) {
    return isTextMode(value)
      ? { match: true, variant: "list" }
      : nearness([[false, "$[*].content with mini-swe-agent's <returncode> observations"]]);
  }
  const messages = list(field(value, "messages"));
  const tagged = text(field(value, "trajectory_format"))?.startsWith(MARK) === true;
  const versioned = filled(at(value, "info", "mini_version")) !== undefined;
  if (messages !== undefined && (tagged || versioned))
    return { match: true, variant: taggedVariant(value, messages) };
  const row =
    has(value, "history") || has(value, "trajectory") ? [] : (listOrJson(field(value, "messages")) ?? []);
  if (isTextMode(row)) return { match: true, variant: "row" };
  const marks = "$.trajectory_format, $.info.mini_version or <returncode> observations";
  if (!tagged && !versioned)
    return { match: false, near: has(value, "messages") ? 0.1 : 0, missing: [marks] };
  return { match: false, near: 0.5, missing: ["$.messages"] };
}

/** Commands in the text, answered by the user in the agent's own observation template. */
function isTextMode(messages: readonly unknown[]): boolean {
  const head = messages.slice(0, HEAD);
  if (head.length === 0 || !head.every((item) => text(field(item, "role")) !== undefined)) return false;
  return head.some((item, index) => {
    const content = text(field(item, "content")) ?? "";
    const observed = field(item, "role") === "user" && returnCode(content) !== undefined;
    return observed && field(head[index - 1], "role") === "assistant";
  });
}

function taggedVariant(value: unknown, messages: readonly unknown[]): string {
  const head = messages.slice(0, HEAD);
  if (head.some((item) => field(item, "object") === "response")) return "2.x responses";
  if (head.some((item) => (list(field(item, "tool_calls"))?.length ?? 0) > 0)) return "2.x tool calls";
  const version = label(at(value, "info", "mini_version")) ?? "";
  return version.startsWith("2.") ? "2.x text" : "1.x text";
}

function convert({ value, variant, stem }: FormatInput): readonly Draft[] {
  const listed = list(value);
  const row = record(value);
  const messages = records(listed ?? listOrJson(field(row, "messages")));
  if (messages.length === 0) {
    throw new ConversionError({
      code: "no-messages",
      jsonPath: listed === undefined ? "$.messages" : "$",
      reason: "a mini-swe-agent log is a list of messages, or an object that holds one",
      remedy: "drop the .traj.json file as mini-swe-agent wrote it, or choose another format",
    });
  }
  const builder = new TrajectoryBuilder();
  builder.agentInfo.name = MARK;
  const request = firstRequest(messages);
  if (request !== undefined) builder.task.description = request;
  if (row !== undefined) describe(builder, row);
  const id = builder.task.id ?? (variant === "row" ? undefined : instanceName(stem));
  if (id !== undefined) builder.task.id = id;
  readExit(builder, messages);
  addMessages(builder, messages, listed === undefined ? "$.messages" : "$");
  return [builder.build(variant)];
}

function describe(builder: TrajectoryBuilder, row: JsonRecord): void {
  const { agentInfo, outcome, task } = builder;
  const info = record(field(row, "info"));
  const id = label(field(row, "instance_id"));
  if (id !== undefined) task.id = id;
  const version = label(field(info, "mini_version"));
  if (version !== undefined) agentInfo.version = version;
  const model =
    label(at(info, "config", "model", "model_name")) ??
    label(field(row, "model")) ??
    label(field(row, "model_name"));
  if (model !== undefined) agentInfo.model_name = model;
  describeConfig(builder, field(info, "config"));
  const used = readLabels(row, "", outcome);
  // A label of verified success; what is not verified has not been shown to fail.
  if (verdict(field(row, "verified")) === true && outcome.success === null) {
    outcome.success = true;
    outcome.label_source = "verified";
  }
  const status = label(field(info, "exit_status"));
  if (status !== undefined) outcome.exit_status = status;
  const submission = filled(field(info, "submission")) ?? filled(field(row, "patch"));
  if (submission !== undefined) {
    outcome.metadata = { ...outcome.metadata, [isDiff(submission) ? "patch" : "submission"]: submission };
  }
  describeCost(builder, field(info, "model_stats"));
  const known = ["info", "messages", "trajectory_format", "instance_id", "model", "model_name", "patch"];
  if (outcome.label_source === "verified") known.push("verified");
  keepRest({ value: row, used: [...known, ...used], path: "$", sink: builder });
  const infoKeys = ["model_stats", "config", "mini_version", "exit_status", "submission"];
  keepRest({ value: info, used: infoKeys, path: "$.info", sink: builder });
}

function describeConfig(builder: TrajectoryBuilder, config: unknown): void {
  if (record(config) === undefined) return;
  // Limits and the like; the templates stand rendered in the messages.
  const plain = (part: unknown): readonly (readonly [string, unknown])[] =>
    Object.entries(record(part) ?? {}).filter(([key]) => !key.endsWith("_template"));
  const agent = plain(field(config, "agent")).filter(([, value]) => typeof value === "number");
  const model = rest(Object.fromEntries(plain(field(config, "model"))), ["model_name"]);
  const settings = rest(config, ["agent", "model"]);
  const kept = {
    ...settings.kept,
    ...(Object.keys(model.kept).length === 0 ? {} : { model: model.kept }),
    ...(agent.length === 0 ? {} : { agent: Object.fromEntries(agent) }),
  };
  if (Object.keys(kept).length > 0) builder.metadata["config"] = kept;
  builder.drop("$.info.config.*_template", "templates; they stand rendered in the messages");
  for (const key of settings.large) {
    builder.drop(`$.info.config.${/^\w{1,64}$/.test(key) ? key : "*"}`, "large settings of the framework");
  }
}

function describeCost(builder: TrajectoryBuilder, stats: unknown): void {
  const cost = number(field(stats, "instance_cost"));
  const calls = count(field(stats, "api_calls"));
  if (cost === undefined && calls === undefined) return;
  builder.document.final_metrics = {
    ...(cost === undefined ? {} : { total_cost_usd: cost }),
    ...(calls === undefined ? {} : { extra: { api_calls: calls } }),
  };
}

/** The exit message repeats the outcome; where it says more (an error's text), that is kept with the outcome. */
function readExit(builder: TrajectoryBuilder, messages: readonly JsonRecord[]): void {
  const exit = messages.findLast((message) => field(message, "role") === "exit");
  if (exit === undefined) return;
  const { outcome } = builder;
  const status = label(at(exit, "extra", "exit_status"));
  if (status !== undefined) outcome.exit_status ??= status;
  const submission = filled(at(exit, "extra", "submission"));
  const known = outcome.metadata?.["patch"] ?? outcome.metadata?.["submission"];
  if (submission !== undefined && known === undefined) {
    outcome.metadata = { ...outcome.metadata, [isDiff(submission) ? "patch" : "submission"]: submission };
  }
  const word = filled(field(exit, "content"));
  const repeated = [submission, known, status].some(
    (value) => typeof value === "string" && value.trim() === word?.trim(),
  );
  if (word !== undefined && !repeated) outcome.metadata = { ...outcome.metadata, exit_message: word };
}
