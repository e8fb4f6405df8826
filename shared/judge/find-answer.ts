import type { AnswerProblem } from "./answer-problems.ts";
import { type LooseObject, type LooseValue, readLooseObject } from "./loose-json.ts";

/** No answer is this long; more would only be read to no end. */
const LONGEST = 1_000_000;
const MOST_TRIES = 1_000;

export type FoundAnswer =
  | { readonly object: LooseObject; readonly problems: readonly AnswerProblem[] }
  | { readonly object: null; readonly problems: readonly AnswerProblem[] };

/**
 * Finds the object that has the key `holds`: the text as a whole, else one within prose or a fenced block. An object that
 * stands in the evidence word for word does not count, and none counts of several that contradict each other.
 *
 * What this does NOT cover: a model that is talked into an answer and words it itself. Structured output keeps prose out
 * of answers altogether; `text-around` says where it did not.
 */
export function findAnswer(
  text: string,
  options: {
    readonly holds: string;
    readonly evidence: string;
    readonly same: (left: LooseObject, right: LooseObject) => boolean;
  },
): FoundAnswer {
  if (text.length > LONGEST) return { object: null, problems: [{ kind: "too-long" }] };
  const { candidates, repeated } = candidatesIn(text, options);
  const whole = wholeObject(text);
  if (whole !== null && member(whole, options.holds) !== undefined && !repeated) {
    return { object: whole, problems: cutOf(whole) };
  }
  const [first, ...others] = candidates;
  if (first === undefined) {
    const kind = repeated ? "quoted-evidence" : whole === null ? "no-json" : "no-scores";
    return { object: null, problems: [{ kind }] };
  }
  if (others.some((other) => !options.same(first, other))) {
    return { object: null, problems: [{ kind: "several-answers" }] };
  }
  return { object: first, problems: [{ kind: "text-around" }, ...cutOf(first)] };
}

/** The object that is all of the text, but for space and the fence of a code block. */
function wholeObject(text: string): LooseObject | null {
  const start = /^\s*(?:```[a-zA-Z]*\s*)?(?=\{)/.exec(text)?.[0].length;
  if (start === undefined) return null;
  const read = readLooseObject(text, start);
  if (read === null || !["", "```"].includes(text.slice(read.end).trim())) return null;
  return read.value;
}

function candidatesIn(
  text: string,
  { holds, evidence }: { readonly holds: string; readonly evidence: string },
): { readonly candidates: readonly LooseObject[]; readonly repeated: boolean } {
  const candidates: LooseObject[] = [];
  const shown = bare(evidence);
  let repeated = false;
  let at = text.indexOf("{");
  for (let tries = 0; at >= 0 && tries < MOST_TRIES; tries += 1) {
    const read = readLooseObject(text, at);
    const fits = read !== null && member(read.value, holds) !== undefined;
    if (fits) {
      if (shown !== "" && shown.includes(bare(text.slice(at, read.end)))) repeated = true;
      else candidates.push(read.value);
    }
    at = text.indexOf("{", fits ? read.end : at + 1);
  }
  return { candidates, repeated };
}

/** Without what quoting may change: space and the marks of quoted lines. */
function bare(text: string): string {
  return text.replace(/[\s|]/g, "");
}

function cutOf(object: LooseObject): readonly AnswerProblem[] {
  return object.closed ? [] : [{ kind: "cut" }];
}

/** The value of a key; of a key that occurs twice, the first. */
export function member(object: LooseObject, key: string): LooseValue | undefined {
  return object.entries.find((entry) => entry.key === key)?.value;
}

export function textMember(object: LooseObject, key: string): string | undefined {
  const value = member(object, key);
  return value?.type === "string" ? value.value : undefined;
}
