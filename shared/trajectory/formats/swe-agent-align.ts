import { field, type JsonRecord, text } from "./read.ts";
import type { HistoryItem } from "./swe-agent-history.ts";

interface Alignment {
  readonly items: readonly HistoryItem[];
  /** Steps between others that the history does not hold: attempts the agent was asked to repeat. */
  readonly takenBack: number;
  /** Steps after the last message of the history: the run's end, which older versions do not write down there. */
  readonly tail: readonly JsonRecord[];
}

/** A message is looked for at most this many steps ahead. */
const REACH = 50;

/**
 * Matches the assistant messages of a history with the steps of the trajectory list, both in order: by the same
 * text, else by the same command at the same place.
 */
export function align(history: readonly JsonRecord[], steps: readonly JsonRecord[]): Alignment {
  const items: HistoryItem[] = [];
  let next = 0;
  let takenBack = 0;
  for (const message of history) {
    const found =
      message["role"] === "assistant" && message["is_demo"] !== true ? find(message, steps, next) : undefined;
    if (found === undefined) {
      items.push({ message });
      continue;
    }
    takenBack += found - next;
    next = found + 1;
    const step = steps[found];
    items.push(step === undefined ? { message } : { message, step });
  }
  return { items, takenBack, tail: steps.slice(next) };
}

function find(message: JsonRecord, steps: readonly JsonRecord[], from: number): number | undefined {
  const content = plainText(field(message, "content"));
  const action = text(field(message, "action"));
  const until = Math.min(steps.length, from + REACH);
  for (let index = from; index < until; index += 1) {
    const step = steps[index];
    const sameText = content !== "" && text(field(step, "response")) === content;
    if (sameText && (action === undefined || text(field(step, "action")) === action)) return index;
  }
  return action !== undefined && text(field(steps[from], "action")) === action ? from : undefined;
}

function plainText(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) && content.length === 1 ? (text(field(content[0], "text")) ?? "") : "";
}
