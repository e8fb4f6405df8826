import { TrajectoryBuilder } from "../builder.ts";
import type { Draft } from "../draft.ts";
import { ConversionError, type Detection, type Format, type FormatInput } from "../format.ts";
import { adpKind, convertAdp } from "./openhands-adp.ts";
import { convertEvents } from "./openhands-events.ts";
import { convertMessages } from "./openhands-messages.ts";
import { applyRow } from "./openhands-row.ts";
import { isEvent, isEventPair } from "./openhands-shape.ts";
import { at, field, has, type JsonRecord, json, list, nearness, record, records, text } from "./read.ts";

/** How many elements of a list detection looks at. */
const HEAD = 5;

const VARIANTS = {
  events: "event list",
  pairs: "action and observation pairs",
  stream: "events in a wrapper",
  history: "evaluation output row",
  adp: "agent data protocol row",
  messages: "chat messages row",
} as const;

/** Logs of OpenHands up to 0.x: event streams, feedback, evaluation output, and rows of public data sets. */
export const openhands: Format = {
  name: "openhands",
  description:
    "OpenHands event lists, evaluation output.jsonl rows, feedback wrappers and chat rows (native or text tool calls)",
  version: "1",
  detect,
  isPart: (value) => isEvent(value) || isEventPair(value),
  convert,
};

/** Where the trajectory stands in a record. */
interface Place {
  readonly variant: string;
  readonly kind: "events" | "adp" | "messages";
  readonly values: readonly unknown[];
  readonly row: JsonRecord | undefined;
}

function detect(value: unknown): Detection {
  const place = find(value);
  if (place !== undefined) return { match: true, variant: place.variant };
  const [first] = list(value) ?? list(at(value, "history")) ?? list(at(value, "trajectory")) ?? [];
  const event = first ?? value;
  if (has(event, "role") || has(event, "kind")) return { match: false, near: 0, missing: [] };
  const named = has(event, "action") !== has(event, "observation");
  if (!named) {
    return nearness([
      [has(value, "history") && has(value, "instance_id"), "`history` of events"],
      [false, "`action` or `observation`"],
      [false, "`args` or `extras`"],
    ]);
  }
  return nearness([
    [true, "`action` or `observation`"],
    [has(event, "source"), "`source`"],
    [has(event, "args") || has(event, "extras"), "`args` of an action or `extras` of an observation"],
    [false, "an event type (a plain word) under `action` or `observation`"],
  ]);
}

function find(value: unknown): Place | undefined {
  const top = list(value);
  if (top !== undefined) {
    if (startsWith(top, isEvent))
      return { variant: VARIANTS.events, kind: "events", values: top, row: undefined };
    if (startsWith(top, isEventPair)) {
      return { variant: VARIANTS.pairs, kind: "events", values: top, row: undefined };
    }
    return undefined;
  }
  const row = record(value);
  if (row === undefined) return undefined;
  const history = list(field(row, "history"));
  if (history !== undefined && isHistory(history, row)) {
    return { variant: VARIANTS.history, kind: "events", values: history, row };
  }
  for (const key of ["trajectory", "events", "content"]) {
    const values = list(field(row, key));
    if (values === undefined) continue;
    if (startsWith(values, isEvent) || startsWith(values, isEventPair)) {
      return { variant: VARIANTS.stream, kind: "events", values, row };
    }
    if (isAdpRow(values, row)) return { variant: VARIANTS.adp, kind: "adp", values, row };
  }
  const messages = list(field(row, "messages"));
  if (messages !== undefined && isMessagesRow(messages, row)) {
    return { variant: VARIANTS.messages, kind: "messages", values: messages, row };
  }
  return undefined;
}

function startsWith(values: readonly unknown[], test: (value: unknown) => boolean): boolean {
  return values.length > 0 && values.slice(0, HEAD).every(test);
}

/** A run that was stopped before its first event still has the marks of an evaluation row. */
function isHistory(history: readonly unknown[], row: JsonRecord): boolean {
  if (history.length > 0) return startsWith(history, isEvent) || startsWith(history, isEventPair);
  return has(row, "instruction") && has(row, "metrics") && (has(row, "test_result") || has(row, "git_patch"));
}

/** Other agents' runs come in this protocol too: these marks are OpenHands' own. */
function isAdpRow(values: readonly unknown[], row: JsonRecord): boolean {
  if (!startsWith(values, (value) => adpKind(value) !== undefined)) return false;
  const details = field(row, "details");
  if (has(details, "feedback") && has(details, "polarity")) return true;
  const tools = field(details, "tools");
  return declaresTools(list(tools) ?? json(tools));
}

/** Records that another program wrote around the messages. */
const FOREIGN = ["response", "info", "trajectory", "trajectory_format", "history", "schema_version"];

function isMessagesRow(messages: readonly unknown[], row: JsonRecord): boolean {
  if (FOREIGN.some((key) => has(row, key))) return false;
  if (!startsWith(messages, (message) => text(field(message, "role")) !== undefined)) return false;
  const tools = field(row, "tools");
  if (declaresTools(list(tools) ?? json(tools))) return true;
  const [first] = messages;
  return field(first, "role") === "system" && isOpenHandsPrompt(field(first, "content"));
}

const TOOLS: ReadonlySet<unknown> = new Set(["execute_bash", "execute_ipython_cell"]);

function declaresTools(tools: unknown): boolean {
  return records(tools)
    .slice(0, 20)
    .some((tool) => TOOLS.has(at(tool, "function", "name")));
}

function isOpenHandsPrompt(content: unknown): boolean {
  const prompt = typeof content === "string" ? content : text(at(records(content)[0], "text"));
  if (prompt === undefined) return false;
  return (
    prompt.startsWith("You are OpenHands agent") ||
    prompt.includes("---- BEGIN FUNCTION #1: execute_bash ----")
  );
}

function convert({ value, variant }: FormatInput): readonly Draft[] {
  const place = find(value) ?? forced(value);
  const builder = new TrajectoryBuilder();
  builder.agentInfo.name = "openhands";
  if (place.row !== undefined) applyRow(place.row, builder);
  if (place.kind === "events") convertEvents(place.values, builder);
  else if (place.kind === "adp") convertAdp(place.values, builder);
  else convertMessages(place.values, builder);
  return [builder.build(variant)];
}

/** With the format forced by the user, any list in a known place will do. */
function forced(value: unknown): Place {
  const row = record(value);
  const values =
    list(value) ??
    list(field(row, "history")) ??
    list(field(row, "trajectory")) ??
    list(field(row, "events"));
  if (values !== undefined) return { variant: VARIANTS.events, kind: "events", values, row };
  const messages = list(field(row, "messages"));
  if (messages !== undefined) return { variant: VARIANTS.messages, kind: "messages", values: messages, row };
  throw new ConversionError({
    code: "no-events",
    jsonPath: "$",
    reason: "the record holds no list of OpenHands events",
    remedy: "drop an event list, an evaluation row with `history`, or a row with `messages`",
  });
}
