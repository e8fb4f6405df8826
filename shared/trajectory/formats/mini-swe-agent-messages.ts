import type { CallInput, TrajectoryBuilder } from "../builder.ts";
import { contentText, readContent } from "../content.ts";
import type { ResultExtra, StepExtra } from "../gymline-extra.ts";
import { isoTimestamp } from "../timestamp.ts";
import { nativeCalls } from "./chat-calls.ts";
import { readThinking, type Signature } from "./chat-content.ts";
import {
  at,
  field,
  filled,
  integer,
  type JsonRecord,
  label,
  list,
  record,
  records,
  rest,
  text,
} from "./read.ts";
import { responseMetrics, thinking } from "./swe-agent-native.ts";

const USED = [
  "role",
  "type",
  "object",
  "content",
  "extra",
  "timestamp",
  "tool_calls",
  "function_call",
  "tool_call_id",
  "call_id",
  "output",
  "reasoning_content",
  "reasoning",
  "thinking_blocks",
];
/** Fields of a responses answer that are of use beside its output. */
const RESPONSE_USED = new Set(["id", "status", "incomplete_details", "finish_reason"]);

/**
 * Adds mini-swe-agent's messages: fenced commands answered by the user (text mode), native tool calls, or items of
 * the responses interface. The `exit` message is the framework's own; the outcome holds it.
 */
export function addMessages(builder: TrajectoryBuilder, messages: readonly JsonRecord[], path: string): void {
  /** The text-mode calls of the last answer that are not answered yet. */
  let waiting = 0;
  for (const message of messages) {
    const role = text(field(message, "role"));
    if (role === "exit")
      builder.drop(`${path}[*] of role exit`, "the framework's last word; the outcome has it");
    else if (role === "assistant" || field(message, "object") === "response") {
      waiting = addAnswer(builder, message, path);
    } else if (role === "tool" || field(message, "type") === "function_call_output") {
      addResult(builder, message, path);
    } else if (role === "user" && waiting > 0 && !isInterruption(message)) {
      addResult(builder, message, path);
      waiting -= 1;
    } else {
      const input = {
        content: field(message, "content"),
        timestamp: timeOf(message),
        extra: stepExtra(message),
      };
      if (role === "system") builder.system(input);
      else
        builder.user(
          role === "user" ? input : { ...input, extra: { ...input.extra, role: role ?? "unknown" } },
        );
      reportExtra(builder, message, path);
    }
  }
}

/** The exit code that stands in an observation of the agent's own template. */
export function returnCode(observation: string): number | undefined {
  const found =
    /^\s*(?:<exception>[^<]{0,2000}<\/exception>\s*)?<returncode>\s*(-?\d{1,9})\s*<\/returncode>/.exec(
      observation,
    );
  return found === null ? undefined : Number(found[1]);
}

/** The one command of a message in text mode; none where there are several or no blocks (a format error). */
export function markedCommand(message: string): string | undefined {
  for (const tag of ["mswea_bash_command", "bash"]) {
    const found = blocks(message, tag);
    const [only] = found;
    if (only !== undefined) return found.length === 1 ? only : undefined;
  }
  const open = message.indexOf(XML_OPEN);
  const close = open < 0 ? -1 : message.indexOf(XML_CLOSE, open);
  return close < 0 ? undefined : message.slice(open + XML_OPEN.length, close).trim();
}

const XML_OPEN = "<mswea_bash_command>";
const XML_CLOSE = "</mswea_bash_command>";

/** The first two blocks at most: more than one is as wrong as many. */
function blocks(message: string, tag: string): readonly string[] {
  const opening = new RegExp(`\`\`\`${tag}[^\\S\\n]*\\n`, "g");
  const found: string[] = [];
  while (found.length < 2) {
    if (opening.exec(message) === null) break;
    const start = opening.lastIndex;
    // The line break before the closing fence may be the opening's own.
    const end = message.indexOf("\n```", start - 1);
    if (end < 0) break;
    found.push(message.slice(start, end).trim());
    opening.lastIndex = end + "\n```".length;
  }
  return found;
}

/** @returns how many calls wait for an answer by the user. */
function addAnswer(builder: TrajectoryBuilder, message: JsonRecord, path: string): number {
  const items = field(message, "object") === "response" ? records(field(message, "output")) : undefined;
  const answer = items === undefined ? chatAnswer(message) : responseAnswer(items);
  const response = items === undefined ? at(message, "extra", "response") : message;
  const model = label(field(response, "model"));
  const extra = stepExtra(
    message,
    items === undefined ? [] : Object.keys(message).filter((key) => !RESPONSE_USED.has(key)),
  );
  builder.agent({
    content: answer.content,
    timestamp: timeOf(message),
    reasoning: answer.reasoning,
    calls: answer.calls,
    metrics: responseMetrics(response, at(message, "extra", "cost")),
    ...(model === undefined ? {} : { model }),
    extra: { ...extra, ...(answer.signatures.length > 0 ? { signatures: answer.signatures } : {}) },
  });
  reportExtra(builder, message, path);
  return answer.calls.filter((call) => call.from === "text").length;
}

interface Answer {
  readonly content: unknown;
  readonly reasoning: string;
  readonly signatures: Signature[];
  readonly calls: readonly CallInput[];
}

function chatAnswer(message: JsonRecord): Answer {
  const content = field(message, "content");
  const native = nativeCalls(message);
  return { content, ...thinking(message), calls: native.length > 0 ? native : textCalls(message, content) };
}

/** The parsed actions where the log has them, else the marked command in the text. */
function textCalls(message: JsonRecord, content: unknown): readonly CallInput[] {
  const actions = list(at(message, "extra", "actions"));
  const words = contentText(readContent(content, "", { attach: () => "", drop: () => undefined }));
  const commands =
    actions === undefined
      ? [markedCommand(words)]
      : actions.map((action) => text(field(action, "command")) ?? text(action));
  return commands.flatMap((command) =>
    command === undefined || command === ""
      ? []
      : [{ name: "bash", arguments: { command }, from: "text" as const }],
  );
}

function responseAnswer(items: readonly JsonRecord[]): Answer {
  const words: unknown[] = [];
  const thoughts: string[] = [];
  const signatures: Signature[] = [];
  const calls: CallInput[] = [];
  for (const item of items) {
    const type = field(item, "type");
    if (type === "message") words.push(...(list(field(item, "content")) ?? []));
    else if (type === "function_call") {
      calls.push({
        id: field(item, "call_id") ?? field(item, "id"),
        name: label(field(item, "name")) ?? "unknown",
        arguments: field(item, "arguments"),
      });
    } else if (type === "reasoning") {
      for (const part of [...records(field(item, "summary")), ...records(field(item, "content"))]) {
        const thought = filled(field(part, "text"));
        if (thought !== undefined) thoughts.push(thought);
      }
      signatures.push(...readThinking(item).signatures);
    }
  }
  return { content: words, reasoning: thoughts.join("\n\n"), signatures, calls };
}

function addResult(builder: TrajectoryBuilder, message: JsonRecord, path: string): void {
  const typed = field(message, "type") === "function_call_output";
  const content = typed ? field(message, "output") : field(message, "content");
  const facts = field(message, "extra");
  const told = contentText(readContent(content, "", { attach: () => "", drop: () => undefined }));
  const code = integer(field(facts, "returncode")) ?? returnCode(told);
  const exception = filled(field(facts, "exception_info"));
  const timestamp = isoTimestamp(timeOf(message));
  const { native } = stepExtra(message);
  const extra: ResultExtra = {
    ...(code === undefined ? {} : { exit_code: code }),
    ...(exception === undefined ? {} : { error: exception, is_error: true }),
    ...(field(message, "role") === "user" ? { role: "user" } : {}),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(native === undefined ? {} : { native }),
  };
  const callId = field(message, "tool_call_id") ?? field(message, "call_id");
  builder.result({ callId, content, extra });
  reportExtra(builder, message, path);
}

/** A message that answers no command: a format error, or a word of the person at the terminal. */
function isInterruption(message: JsonRecord): boolean {
  return filled(at(message, "extra", "interrupt_type")) !== undefined;
}

function timeOf(message: JsonRecord): unknown {
  return field(message, "timestamp") ?? at(message, "extra", "timestamp");
}

const EXTRA_USED = [
  "response",
  "actions",
  "cost",
  "timestamp",
  "returncode",
  "raw_output",
  "exception_info",
  "model_response",
];

function stepExtra(message: JsonRecord, used: readonly string[] = []): StepExtra {
  const native = {
    ...rest(message, [...USED, ...used]).kept,
    ...rest(field(message, "extra"), EXTRA_USED).kept,
  };
  return Object.keys(native).length > 0 ? { native } : {};
}

function reportExtra(builder: TrajectoryBuilder, message: JsonRecord, path: string): void {
  const extra = record(field(message, "extra"));
  if (extra === undefined) return;
  const place = `${path}[*].extra`;
  if (record(extra["response"]) !== undefined) {
    builder.drop(`${place}.response`, "repeats the message; model, usage and token ids are kept");
  }
  if (extra["actions"] !== undefined) builder.drop(`${place}.actions`, "repeats the calls of the message");
  if (filled(extra["raw_output"]) !== undefined) {
    builder.drop(`${place}.raw_output`, "the message has the part of it that the model saw");
  }
  if (filled(extra["model_response"]) !== undefined) {
    builder.drop(`${place}.model_response`, "an answer that the agent refused and did not keep as a message");
  }
  for (const key of rest(extra, EXTRA_USED).large) {
    const name = /^\w{1,64}$/.test(key) ? key : "*";
    builder.drop(`${place}.${name}`, "a large field that the format does not define");
  }
}
