import type { Rubric } from "../reward/rubrics.ts";
import type { ModelScores } from "../reward/step-score.ts";
import type { AnswerProblem, BadScore } from "./answer-problems.ts";
import type { LooseObject, LooseValue } from "./loose-json.ts";

/** The scores that are numbers from 0 to 1, and what is wrong with the others. */
export function readScores(
  scores: LooseObject,
  options: { readonly rubrics: readonly Pick<Rubric, "id">[]; readonly step: number },
): { readonly scores: ModelScores; readonly problems: readonly AnswerProblem[] } {
  const { rubrics, step } = options;
  const known = new Set<string>(rubrics.map(({ id }) => id));
  const problems: AnswerProblem[] = [];
  if (scores.entries.some(({ key }) => !known.has(key))) problems.push({ kind: "unknown-rubric", step });
  const read: [string, number][] = [];
  for (const { id } of rubrics) {
    const values = scores.entries.filter(({ key }) => key === id).map(({ value }) => scoreOf(value));
    const [first, ...others] = values;
    if (first === undefined) problems.push({ kind: "missing-rubric", step, rubric: id });
    else if (others.some((other) => other !== first)) {
      problems.push({ kind: "bad-score", step, rubric: id, is: "duplicate" });
    } else if (typeof first === "string") problems.push({ kind: "bad-score", step, rubric: id, is: first });
    else read.push([id, first]);
  }
  return { scores: Object.fromEntries(read), problems };
}

function scoreOf(value: LooseValue): number | BadScore {
  if (value.type !== "number") return value.type;
  if (!Number.isFinite(value.value)) return "not-finite";
  if (value.value < 0 || value.value > 1) return "out-of-range";
  return value.value === 0 ? 0 : value.value;
}
