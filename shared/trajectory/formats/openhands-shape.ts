import { has, type JsonRecord, label, list, record, text } from "./read.ts";

/** An event of an OpenHands stream in one form, whichever release wrote it. */
export interface OpenHandsEvent {
  readonly kind: "action" | "observation";
  /** `run`, `edit`, `message`, `error`… */
  readonly type: string;
  readonly id: string | undefined;
  /** Id of the action that an observation answers. */
  readonly cause: string | undefined;
  readonly source: string | undefined;
  /** `args` of an action, `extras` of an observation; of old flat events all that is not common to events. */
  readonly fields: JsonRecord;
  readonly content: unknown;
  /** Old releases wrote the fields of an action or observation straight into the event. */
  readonly flat: boolean;
  readonly raw: JsonRecord;
}

const COMMON = new Set([
  "id",
  "timestamp",
  "source",
  "message",
  "cause",
  "action",
  "observation",
  "args",
  "extras",
  "content",
  "success",
  "timeout",
  "tool_call_metadata",
  "llm_metrics",
  "thought",
]);

/** Fields that every event may have. */
export const COMMON_FIELDS: ReadonlySet<string> = COMMON;

const SOURCES: ReadonlySet<unknown> = new Set(["agent", "assistant", "user", "environment"]);

/** Marks of an event: exactly one of `action` and `observation` names its type, beside fields of its kind. */
export function isEvent(value: unknown): value is JsonRecord {
  const event = record(value);
  if (event === undefined || has(event, "role") || has(event, "kind")) return false;
  const action = has(event, "action") ? text(event["action"]) : undefined;
  const observation = has(event, "observation") ? text(event["observation"]) : undefined;
  if ((action === undefined) === (observation === undefined)) return false;
  if (!isTypeName(action ?? observation)) return false;
  const source = has(event, "source") ? event["source"] : undefined;
  if (source !== undefined && source !== null && !SOURCES.has(source)) return false;
  if (action !== undefined) return record(event["args"]) !== undefined || isFlatAction(event, action);
  return text(event["content"]) !== undefined || record(event["extras"]) !== undefined;
}

/** Types are plain words; a shell command or prose under `action` is another tool's step. */
function isTypeName(value: string | undefined): boolean {
  return value !== undefined && /^[a-z][a-z_]{1,40}$/.test(value);
}

const FLAT: Readonly<Record<string, readonly string[]>> = {
  message: ["content"],
  run: ["command", "thought"],
  run_ipython: ["code", "thought"],
  read: ["path", "thought"],
  write: ["path", "content"],
  edit: ["path", "thought"],
  browse: ["url", "thought"],
  browse_interactive: ["browser_actions", "thought"],
  delegate: ["agent", "inputs"],
  finish: ["outputs", "thought"],
  reject: ["outputs"],
};

function isFlatAction(event: JsonRecord, action: string): boolean {
  const needed = Object.hasOwn(FLAT, action) ? FLAT[action] : undefined;
  return needed?.every((key) => has(event, key)) === true;
}

/** `[action, observation]`, as histories of old evaluation runs hold it. */
export function isEventPair(value: unknown): value is readonly [JsonRecord, JsonRecord] {
  const pair = list(value);
  if (pair?.length !== 2) return false;
  const [action, observation] = pair;
  return isEvent(action) && has(action, "action") && isEvent(observation) && has(observation, "observation");
}

/** The events of a stream, pairs taken apart. What is no event is counted. */
export function readEvents(values: readonly unknown[]): {
  readonly events: readonly OpenHandsEvent[];
  readonly other: number;
} {
  const events: OpenHandsEvent[] = [];
  let other = 0;
  for (const [index, value] of values.entries()) {
    if (isEventPair(value)) {
      const action = readEvent(value[0]);
      const id = action.id ?? `pair ${index}`;
      const observation = readEvent(value[1]);
      events.push({ ...action, id }, { ...observation, cause: observation.cause ?? id });
    } else if (isEvent(value)) events.push(readEvent(value));
    else other += 1;
  }
  return { events, other };
}

function readEvent(raw: JsonRecord): OpenHandsEvent {
  const own = (key: string) => (has(raw, key) ? raw[key] : undefined);
  const action = text(own("action"));
  const nested = record(own(action === undefined ? "extras" : "args"));
  const fields = nested ?? flatFields(raw, action !== undefined);
  return {
    kind: action === undefined ? "observation" : "action",
    type: action ?? text(own("observation")) ?? "null",
    id: label(own("id")),
    cause: label(own("cause")),
    source: text(own("source")),
    fields,
    content: own("content"),
    flat: nested === undefined,
    raw,
  };
}

function flatFields(raw: JsonRecord, action: boolean): JsonRecord {
  const keep = (key: string) => !COMMON.has(key) || (action && (key === "content" || key === "thought"));
  return Object.fromEntries(Object.entries(raw).filter(([key]) => keep(key)));
}
