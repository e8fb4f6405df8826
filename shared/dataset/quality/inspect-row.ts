import type { Redactor } from "../../redaction/redactor.ts";
import { isWritten } from "../targets/exact-json.ts";
import type { Target } from "../targets/target.ts";
import type { Row } from "../targets/write-row.ts";
import { type PromptSketch, promptSketch } from "./prompt-sketch.ts";
import { readRow, type Sequence } from "./row-reading.ts";

/** How many tokens a text has. */
export type TokenCounter = (text: string) => number;

/** What checks need to know of a row; no text of it. */
export interface RowInspection {
  readonly origin: RowOrigin;
  /** Columns the trainer reads that are absent or null, and columns the target does not have. */
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
  readonly isPromptEmpty: boolean;
  /** Messages to be learnt that say nothing; 1 where there is none at all. */
  readonly emptyTurns: number;
  /** Of the longest text that the row gives to a model, with the tools. */
  readonly tokens: number;
  /** Findings of the redaction detectors, by `<column> <type>`. */
  readonly secrets: Readonly<Record<string, number>>;
  readonly prompt: PromptSketch | undefined;
  readonly labels?: { readonly good: number; readonly bad: number };
  readonly pair?: { readonly isOneSided: boolean; readonly isChosenLonger: boolean };
  readonly group?: {
    readonly name: string;
    /** Rows that the group should have; null where the row is the whole group. */
    readonly size: number | null;
    readonly rewards: readonly number[];
  };
}

/** What a row says of where it is from; null where its columns do not tell. */
export interface RowOrigin {
  readonly id: string | null;
  readonly contentId: string | null;
  readonly task: string | null;
}

export interface Inspector {
  readonly target: Target;
  readonly redactor: Redactor;
  readonly countTokens: TokenCounter;
}

const NONE: ReadonlySet<string> = new Set();

/** Looks at one row as it is written. In the texts of `clean` the same redactor has found nothing. Pure. */
export function inspectRow(
  row: Row,
  { target, redactor, countTokens }: Inspector,
  clean: ReadonlySet<string> = NONE,
): RowInspection {
  const { sequences, tools } = readRow(row);
  const [first] = sequences;
  const isPrompt = target.unit === "task";
  const known = new Set(target.columns.map(({ name }) => name));
  return {
    origin: originOf(row),
    missing: target.columns
      .filter(({ name, extra, optional }) => !extra && !optional && (row[name] ?? null) === null)
      .map(({ name }) => name),
    unknown: Object.keys(row).filter((name) => !known.has(name)),
    isPromptEmpty: sequences.some(({ prompt }) => prompt.every(isBlank)),
    emptyTurns: isPrompt ? 0 : sequences.reduce((sum, sequence) => sum + emptyTurnsOf(sequence), 0),
    tokens: tokensOf(sequences, { tools, countTokens }),
    secrets: secretsOf(row, redactor, clean),
    prompt: first === undefined ? undefined : promptSketch(first.prompt),
    ...labelsOf(row, target),
    ...pairOf(row, { target, sequences }),
    ...groupOf(row, target),
  };
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}

function emptyTurnsOf({ learnt }: Sequence): number {
  return learnt.length === 0 ? 1 : learnt.filter(isBlank).length;
}

function tokensOf(
  sequences: readonly Sequence[],
  { tools, countTokens }: { readonly tools: string; readonly countTokens: TokenCounter },
): number {
  const count = (texts: readonly string[]): number =>
    texts.reduce((sum, text) => (text === "" ? sum : sum + countTokens(text)), 0);
  const [first] = sequences;
  // The sides of a pair have one list as their prompt, which a slow tokenizer should not read twice.
  const shared = first === undefined ? 0 : count(first.prompt);
  const own = sequences.map(
    ({ prompt, learnt, context }) =>
      (prompt === first?.prompt ? shared : count(prompt)) + count(learnt) + count(context),
  );
  return Math.max(0, ...own) + count([tools]);
}

/** Our own hashes, in which detectors find digits of all kinds. */
const OWN: ReadonlySet<string> = new Set([
  "id",
  "content_id",
  "scorer",
  "chosen_id",
  "rejected_id",
  "reference_id",
]);
const DIGEST = /^(?:first-message:)?[0-9a-f]{12,64}(?:#\d+)?$/;

function secretsOf(
  row: Row,
  redactor: Redactor,
  clean: ReadonlySet<string>,
): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [column, value] of Object.entries(row)) {
    if (OWN.has(column)) continue;
    eachText(value, (text) => {
      if (clean.has(text) || DIGEST.test(text)) return;
      for (const { type } of redactor.scan(text)) {
        const key = `${column} ${type}`;
        found[key] = (found[key] ?? 0) + 1;
      }
    });
  }
  return found;
}

function eachText(value: unknown, visit: (text: string) => void): void {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === "string") visit(next);
    else if (typeof next === "object" && next !== null && !isWritten(next)) {
      for (const item of Object.values(next)) {
        if (typeof item === "string" || typeof item === "object") open.push(item);
      }
    }
  }
}

function originOf(row: Row): RowOrigin {
  const facts = fieldOf(fieldOf(row, "extra"), "gymline");
  // A column may be called `task` and say of which kind it is, as verifiers has it; its `info` knows the task itself.
  const info = fieldOf(row["extra_info"] ?? parsed(row["info"]), "task");
  const task = info ?? row["task"] ?? row["task_id"] ?? row["group"] ?? fieldOf(fieldOf(facts, "task"), "id");
  return {
    id: textOrNull(row["id"] ?? row["chosen_id"] ?? row["reference_id"] ?? fieldOf(facts, "id")),
    contentId: textOrNull(row["content_id"] ?? fieldOf(facts, "content_id")),
    task: textOrNull(task),
  };
}

function parsed(text: unknown): unknown {
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function labelsOf(row: Row, { kind }: Target): Pick<RowInspection, "labels"> {
  if (kind !== "kto" && kind !== "prm") return {};
  const labels = kind === "kto" ? [row["label"]] : row["labels"];
  if (!Array.isArray(labels)) return {};
  const good = labels.filter((label) => label === true).length;
  return { labels: { good, bad: labels.filter((label) => label === false).length } };
}

function pairOf(
  row: Row,
  { target, sequences }: { readonly target: Target; readonly sequences: readonly Sequence[] },
): Pick<RowInspection, "pair"> {
  const [better, worse] = sequences;
  if (target.kind !== "dpo" || better === undefined || worse === undefined) return {};
  const { margin, preferred_by: by } = row;
  // People may prefer what earned less: only a choice by reward has to agree with it.
  const isAgainstReward = typeof margin === "number" && margin <= 0 && (by === undefined || by === "reward");
  const [own, other] = [better, worse].map(({ learnt, context }) => [...learnt, ...context].join("\0"));
  return {
    pair: {
      isOneSided: own === other || isAgainstReward,
      isChosenLonger: lengthOf(better) > lengthOf(worse),
    },
  };
}

function lengthOf({ learnt }: Sequence): number {
  return learnt.reduce((sum, text) => sum + text.length, 0);
}

function groupOf(row: Row, { kind, unit }: Target): Pick<RowInspection, "group"> {
  const { group, reward, group_size: size, trajectories, task_id: task } = row;
  if (kind !== "grpo") return {};
  if (unit === "group" && typeof group === "string" && typeof reward === "number")
    return { group: { name: group, size: typeof size === "number" ? size : null, rewards: [reward] } };
  if (!Array.isArray(trajectories)) return {};
  const rewards = trajectories.map((attempt: unknown) => Number(fieldOf(attempt, "reward")));
  return { group: { name: textOrNull(task) ?? "", size: null, rewards } };
}
