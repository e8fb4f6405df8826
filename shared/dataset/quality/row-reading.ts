import type { Trajectory } from "../../trajectory/schema.ts";
import { sftMessages } from "../sft-messages.ts";
import { readBackJson } from "../targets/exact-json.ts";
import type { Row } from "../targets/write-row.ts";

/** One text as a trainer feeds it to a model, in the parts that checks tell apart. */
export interface Sequence {
  /** What comes before the agent's first message. */
  readonly prompt: readonly string[];
  /** What is learnt, a text for each message. */
  readonly learnt: readonly string[];
  /** Everything else: results of tools, messages that are not learnt. */
  readonly context: readonly string[];
}

/** A row of any target as checks see it. */
export interface RowReading {
  /** One; of a pair the better and the worse side; of a group in one row each attempt. None: nothing is fed to a model. */
  readonly sequences: readonly Sequence[];
  readonly tools: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads a row by the columns it has, which targets share: a new target with known columns needs nothing here. */
export function readRow(row: Row): RowReading {
  return { sequences: sequencesOf(row), tools: toolsOf(row) };
}

function toolsOf({ tools, input }: Row): string {
  const own = tools ?? (isObject(input) ? input["tools"] : undefined);
  if (own === undefined || own === null) return "";
  return typeof own === "string" ? own : readBackJson(own);
}

function sequencesOf(row: Row): readonly Sequence[] {
  const { prompt, messages, conversations, input } = row;
  const better = row["chosen"] ?? row["preferred_output"];
  const worse = row["rejected"] ?? row["non_preferred_output"];
  if (better !== undefined && better !== null) {
    const before = textsOf(prompt ?? conversations ?? (isObject(input) ? input["messages"] : undefined));
    const start = [...systemOf(row), ...before];
    return [better, worse].map((side) => continued(start, side));
  }
  if (isList(messages)) {
    const first = chat(messages, row["weights"]);
    const other = row["rejected_messages"];
    return isList(other) ? [first, chat(other)] : [first];
  }
  if (isList(conversations)) {
    const { prompt: before, ...rest } = chat(conversations);
    return [{ prompt: [...systemOf(row), ...before], ...rest }];
  }
  if (isList(row["steps"])) return [stepsOf(row)];
  if (row["instruction"] !== undefined)
    return [continued(textsOf([row["instruction"], row["input"]]), row["response"])];
  if (prompt === undefined) return [];
  const start = textsOf(prompt);
  if (isList(row["trajectories"]))
    return row["trajectories"].map((attempt) =>
      continued(start, isObject(attempt) ? attempt["response"] : undefined),
    );
  const rest = row["completion"] ?? row["completions"];
  if (rest !== undefined) return [continued(start, rest)];
  const reference = row["reference"];
  return isList(reference)
    ? [{ ...chat(reference), prompt: start }]
    : [{ prompt: start, learnt: [], context: [] }];
}

function systemOf({ system }: Row): readonly string[] {
  return typeof system === "string" && system !== "" ? [system] : [];
}

/** The roles of what a model wrote, in all formats. */
const AGENT: ReadonlySet<unknown> = new Set(["assistant", "tool_call", "gpt", "function_call"]);

function chat(messages: readonly unknown[], weights?: unknown): Sequence {
  const first = messages.findIndex(isAgents);
  const start = first < 0 ? messages.length : first;
  const after = messages.slice(start);
  const of = (index: number): unknown => (isList(weights) ? weights[start + index] : undefined);
  const isLearnt = after.map((message, index) => isAgents(message) && !isMasked(message, of(index)));
  return {
    prompt: messages.slice(0, start).map(textOf),
    learnt: after.filter((_, index) => isLearnt[index]).map(textOf),
    context: after.filter((_, index) => isLearnt[index] !== true).map(textOf),
  };
}

function continued(prompt: readonly string[], rest: unknown): Sequence {
  if (!isList(rest)) return { prompt, learnt: [textOf(rest)], context: [] };
  if (rest.every((item) => typeof item === "string")) return { prompt, learnt: rest, context: [] };
  return {
    prompt,
    learnt: rest.filter((message) => isAgents(message) && !isMasked(message)).map(textOf),
    context: rest.filter((message) => !isAgents(message) || isMasked(message)).map(textOf),
  };
}

/** A row that is a stored trajectory. */
function stepsOf(row: Row): Sequence {
  const messages = sftMessages(row as unknown as Pick<Trajectory, "steps">);
  const weights = messages.map(({ trainable }) => (trainable ? 1 : 0));
  return chat(
    messages.map(({ message }) => message),
    weights,
  );
}

function isAgents(message: unknown): boolean {
  return isObject(message) && AGENT.has(message["role"] ?? message["from"]);
}

function isMasked(message: unknown, weight?: unknown): boolean {
  if (!isObject(message)) return false;
  return (
    weight === 0 || message["weight"] === 0 || message["trainable"] === false || message["loss"] === false
  );
}

function textsOf(value: unknown): readonly string[] {
  return isList(value) ? value.map(textOf) : [textOf(value)];
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (!isObject(value)) return "";
  const { content, value: said, reasoning_content: thought, tool_calls: calls } = value;
  const called = isList(calls) ? calls.map(callText) : [];
  return [thought, content ?? said, ...called]
    .filter((part) => typeof part === "string" && part !== "")
    .join("\n");
}

function callText(call: unknown): string {
  const of = isObject(call) ? call["function"] : undefined;
  if (!isObject(of)) return "";
  const { name, arguments: given = "" } = of;
  return `${String(name ?? "")}(${typeof given === "string" ? given : readBackJson(given)})`;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
