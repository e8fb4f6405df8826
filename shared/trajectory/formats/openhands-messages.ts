import type { TrajectoryBuilder } from "../builder.ts";
import { contentText } from "../content.ts";
import type { ResultExtra } from "../gymline-extra.ts";
import { exitCodeOfText, startsAsError } from "./openhands-observation.ts";
import { nativeCalls, thinkingSignatures } from "./openhands-response.ts";
import { isTextResult, readTextCall } from "./openhands-text-call.ts";
import { field, filled, type JsonRecord, label, list, record, records, rest, text } from "./read.ts";

const USED = [
  "role",
  "content",
  "tool_calls",
  "tool_call_id",
  "name",
  "reasoning_content",
  "thinking_blocks",
  "timestamp",
];

/** Converts the chat messages of an OpenHands run, with native tool calls or in text mode. */
export function convertMessages(values: readonly unknown[], builder: TrajectoryBuilder): void {
  const other = values.length - records(values).length;
  if (other > 0) builder.drop("messages[*]", "not a message", other);
  for (const message of records(values)) convertMessage(message, builder);
}

function convertMessage(message: JsonRecord, builder: TrajectoryBuilder): void {
  const role = text(field(message, "role"));
  const content = field(message, "content");
  const timestamp = field(message, "timestamp");
  if (role === "assistant") convertReply(message, builder);
  else if (role === "tool" || role === "function") {
    const name = label(field(message, "name"));
    builder.result({
      callId: field(message, "tool_call_id"),
      content,
      extra: { ...textFacts(content), ...(name === undefined ? {} : { name }) },
    });
  } else if (role === "system" || role === "developer") {
    builder.system({ content, timestamp, ...(role === "system" ? {} : { extra: { role } }) });
  } else if (role === "user") {
    const answers = builder.lastStep?.source === "agent" && (builder.lastStep.tool_calls ?? []).length > 0;
    if (answers && isTextResult(content)) {
      builder.result({ content, extra: { ...textFacts(content), role: "user" } });
    } else convertUser(message, builder);
  } else builder.drop("messages[*]", "a message of an unknown role");
}

function convertUser(message: JsonRecord, builder: TrajectoryBuilder): void {
  const step = builder.user({ content: field(message, "content"), timestamp: field(message, "timestamp") });
  const said = newTask(contentText(step.message));
  if (builder.task.description === undefined && said !== "") builder.task.description = said;
}

const TASK_START = "--------------------- NEW TASK DESCRIPTION ---------------------";
const TASK_END = "--------------------- END OF NEW TASK DESCRIPTION ---------------------";

/** Text mode puts a worked example before the task; between these marks stands the task itself. */
function newTask(message: string): string {
  const start = message.indexOf(TASK_START);
  const end = start < 0 ? -1 : message.lastIndexOf(TASK_END);
  return end > start ? message.slice(start + TASK_START.length, end).trim() : message;
}

function convertReply(message: JsonRecord, builder: TrajectoryBuilder): void {
  const content = field(message, "content");
  const native = nativeCalls(field(message, "tool_calls"), builder);
  const inText = native.length === 0 && typeof content === "string" ? readTextCall(content) : undefined;
  const calls = inText === undefined ? native : [inText];
  const reasoning = filled(field(message, "reasoning_content"));
  const signatures = thinkingSignatures(message);
  const { kept, large } = rest(message, USED);
  for (const _ of large) builder.drop("messages[*].*", "a large field that the format does not define");
  builder.agent({
    content,
    timestamp: field(message, "timestamp"),
    ...(calls.length === 0 ? {} : { calls }),
    ...(reasoning === undefined ? {} : { reasoning }),
    extra: {
      ...(signatures === undefined ? {} : { signatures }),
      ...(Object.keys(kept).length === 0 ? {} : { native: kept }),
    },
  });
}

/** Exit code and failure, as OpenHands writes them into the text of a result. */
export function textFacts(content: unknown): ResultExtra {
  const shown = typeof content === "string" ? content : lastText(content);
  const exitCode = exitCodeOfText(shown);
  return {
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    ...(startsAsError(shown) ? { is_error: true } : {}),
  };
}

function lastText(content: unknown): string {
  const parts = (list(content) ?? []).map((part) => text(field(record(part), "text")) ?? "");
  return parts.findLast((part) => part !== "") ?? "";
}
