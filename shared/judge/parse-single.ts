import type { Rubric } from "../reward/rubrics.ts";
import { type ModelScores, weightedMean } from "../reward/step-score.ts";
import type { AnswerProblem } from "./answer-problems.ts";
import { findAnswer, member, textMember } from "./find-answer.ts";
import type { LooseObject, LooseValue } from "./loose-json.ts";
import { shortRationale } from "./parse-answer.ts";
import { readScores } from "./read-scores.ts";

/** What a judge said of one step in knowlyr-gym's form, `{"scores": {…}, "rationale": …}`. */
export type SingleJudgement =
  | {
      readonly kind: "scored";
      /** Mean of the scores by the rubrics' weights. */
      readonly score: number;
      readonly scores: ModelScores;
      readonly rationale: string;
      readonly problems: readonly AnswerProblem[];
    }
  | { readonly kind: "unreadable"; readonly problems: readonly AnswerProblem[] };

const NEUTRAL = 0.5;

/**
 * Reads the answer to a single step.
 *
 * `absent` gives scores that are numbers from 0 to 1 and leaves out the rest. `neutral` reads as knowlyr-gym does: a
 * missing rubric counts 0.5, numbers are clamped, numbers in quotes and truth values are taken for numbers. Not as
 * knowlyr-gym does, NaN and infinities count as missing rather than full marks, a number that was cut off counts as
 * missing, and braces in the prose before the answer do not hide it.
 */
export function parseSingleJudgement(
  text: string,
  rubrics: readonly Pick<Rubric, "id" | "weight">[],
  options: { readonly missing: "neutral" | "absent"; readonly evidence?: string },
): SingleJudgement {
  const neutral = options.missing === "neutral";
  const read = (object: LooseObject): ReturnType<typeof strictScores> =>
    neutral ? lenientScores(object, rubrics) : strictScores(object, rubrics);
  const same = (left: LooseObject, right: LooseObject): boolean =>
    JSON.stringify(read(left)?.scores) === JSON.stringify(read(right)?.scores);
  const evidence = options.evidence ?? "";
  let found = findAnswer(text, { holds: "scores", evidence, same });
  if (found.object === null && neutral) {
    const bare = findAnswer(text, { holds: "rationale", evidence, same });
    if (bare.object !== null) found = bare;
  }
  if (found.object === null) return { kind: "unreadable", problems: found.problems };
  const result = read(found.object);
  if (result === null) return { kind: "unreadable", problems: [...found.problems, { kind: "no-scores" }] };
  const problems = [...found.problems, ...result.problems];
  const score = weightedMean(rubrics.map(({ id, weight }) => [result.scores[id] ?? null, weight]));
  if (score === null) return { kind: "unreadable", problems };
  return {
    kind: "scored",
    score,
    scores: result.scores,
    rationale: shortRationale(textMember(found.object, "rationale")),
    problems,
  };
}

function strictScores(
  object: LooseObject,
  rubrics: readonly Pick<Rubric, "id">[],
): { readonly scores: ModelScores; readonly problems: readonly AnswerProblem[] } | null {
  const scores = member(object, "scores");
  if (scores?.type !== "object" || !scores.closed) return null;
  return readScores(scores, { rubrics, step: 0 });
}

function lenientScores(
  object: LooseObject,
  rubrics: readonly Pick<Rubric, "id">[],
): { readonly scores: ModelScores; readonly problems: readonly AnswerProblem[] } | null {
  const scores = member(object, "scores") ?? { type: "object", entries: [], closed: true };
  if (scores.type !== "object") return null;
  const read: [string, number][] = [];
  for (const { id } of rubrics) {
    // The last of several equal keys counts, as in most JSON readers.
    const value = scores.entries.findLast(({ key }) => key === id)?.value;
    const number = value === undefined ? NEUTRAL : lenientNumber(value);
    if (number === null) return null;
    read.push([id, Math.min(1, Math.max(0, number))]);
  }
  return { scores: Object.fromEntries(read), problems: [] };
}

function lenientNumber(value: LooseValue): number | null {
  if (value.type === "null" || value.type === "not-finite") return NEUTRAL;
  if (value.type === "boolean") return value.value ? 1 : 0;
  if (value.type === "number") return Number.isFinite(value.value) ? value.value : NEUTRAL;
  if (value.type !== "string") return null;
  const text = value.value.trim();
  if (/^[+-]?(?:nan|inf(?:inity)?)$/i.test(text)) return NEUTRAL;
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : null;
}
