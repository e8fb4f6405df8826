import type { StopReason } from "../ports/chat-model.ts";
import type { Rubric } from "../reward/rubrics.ts";
import type { ModelScores } from "../reward/step-score.ts";
import type { AnswerProblem } from "./answer-problems.ts";
import { findAnswer, member, textMember } from "./find-answer.ts";
import type { LooseObject, LooseValue } from "./loose-json.ts";
import { readScores } from "./read-scores.ts";

/** What a judge said of one step; a rubric without a valid score is missing. */
export interface AnsweredStep {
  readonly index: number;
  readonly scores: ModelScores;
  readonly rationale: string;
}

/**
 * `scored`: at least one score. `refused`: the model or the provider declined. `stopped`: it ended for a reason that
 * nobody knows, so what it said is not used. `cut`: it was cut off before one step was whole. `unreadable`: it holds no
 * score that can be relied on.
 */
export type JudgeAnswer =
  | {
      readonly kind: "scored";
      /** In the order asked. */
      readonly steps: readonly AnsweredStep[];
      /** Whether quoted text tries to influence the judge; null where the answer does not say. */
      readonly manipulation: boolean | null;
      readonly problems: readonly AnswerProblem[];
    }
  | { readonly kind: "refused" | "stopped"; readonly problems: readonly [] }
  | { readonly kind: "cut" | "unreadable"; readonly problems: readonly AnswerProblem[] };

/** Longer reasons are cut: nobody asked for an essay, and every trajectory keeps its own. */
const LONGEST_RATIONALE = 600;

/**
 * Reads a judge's answer to a window of steps. Never throws, and gives no score that does not stand there as a number
 * from 0 to 1: of steps nobody asked for, steps scored twice differently and steps that were cut off, none counts.
 * @param options.indices numbers of the steps asked for
 * @param options.evidence the text the judge was shown; an object that stands there is no answer
 */
export function parseJudgeAnswer(
  text: string,
  options: {
    readonly rubrics: readonly Pick<Rubric, "id">[];
    readonly indices: readonly number[];
    readonly stop: StopReason;
    readonly evidence?: string;
  },
): JudgeAnswer {
  const { rubrics, indices, stop, evidence = "" } = options;
  if (stop === "refusal") return { kind: "refused", problems: [] };
  if (stop === "other") return { kind: "stopped", problems: [] };
  const read = (object: LooseObject): ReadSteps => readSteps(object, { rubrics, indices });
  const same = (left: LooseObject, right: LooseObject): boolean =>
    JSON.stringify(read(left).steps) === JSON.stringify(read(right).steps);
  const [only] = indices;
  let found = findAnswer(text, { holds: "steps", evidence, same });
  if (found.object === null && indices.length === 1 && only !== undefined) {
    const single = findAnswer(text, { holds: "scores", evidence, same });
    if (single.object !== null) found = single;
  }
  if (found.object === null)
    return { kind: stop === "length" ? "cut" : "unreadable", problems: found.problems };
  const { steps, problems } = read(found.object);
  const all = [...found.problems, ...problems];
  if (steps.every((step) => Object.keys(step.scores).length === 0)) {
    return { kind: stop === "length" || !found.object.closed ? "cut" : "unreadable", problems: all };
  }
  const manipulation = member(found.object, "manipulation");
  const says = manipulation?.type === "boolean" ? manipulation.value : null;
  return {
    kind: "scored",
    steps,
    manipulation: says,
    problems: says === null ? [...all, { kind: "no-manipulation" }] : all,
  };
}

interface ReadSteps {
  readonly steps: readonly AnsweredStep[];
  readonly problems: readonly AnswerProblem[];
}

function readSteps(
  object: LooseObject,
  options: { readonly rubrics: readonly Pick<Rubric, "id">[]; readonly indices: readonly number[] },
): ReadSteps {
  const { rubrics, indices } = options;
  const items = entriesOf(object, indices);
  if (items === null) return { steps: [], problems: [{ kind: "no-scores" }] };
  const asked = new Set(indices);
  const byIndex = new Map<number, AnsweredStep | null>();
  const problems: AnswerProblem[] = [];
  for (const [position, { index, item }] of items.entries()) {
    if (item.type === "object" && !item.closed) continue;
    if (item.type !== "object" || index === null) problems.push({ kind: "bad-step", position });
    else if (!asked.has(index)) problems.push({ kind: "unknown-step", step: index });
    else {
      const step = readStep(item, { rubrics, index });
      const before = byIndex.get(index);
      if (before === undefined) {
        byIndex.set(index, step.step);
        problems.push(...step.problems);
      } else {
        const equal = before !== null && JSON.stringify(before.scores) === JSON.stringify(step.step.scores);
        if (!equal) byIndex.set(index, null);
        problems.push({ kind: "duplicate-step", step: index, same: equal });
      }
    }
  }
  const steps: AnsweredStep[] = [];
  for (const index of indices) {
    const step = byIndex.get(index);
    if (step === undefined) problems.push({ kind: "missing-step", step: index });
    else if (step !== null) steps.push(step);
  }
  return { steps, problems };
}

/** The entries of `steps`; of an answer to one step, also the object itself. */
function entriesOf(
  object: LooseObject,
  indices: readonly number[],
): readonly { readonly index: number | null; readonly item: LooseValue }[] | null {
  const list = member(object, "steps");
  if (list?.type === "array") return list.items.map((item) => ({ index: indexOf(item), item }));
  const [only] = indices;
  const scores = member(object, "scores");
  // A cut after the scores takes nothing from them.
  if (list !== undefined || indices.length !== 1 || only === undefined || scores?.type !== "object")
    return null;
  return [{ index: only, item: { ...object, closed: scores.closed } }];
}

function indexOf(item: LooseValue): number | null {
  if (item.type !== "object") return null;
  const index = member(item, "index");
  return index?.type === "number" && Number.isSafeInteger(index.value) ? index.value : null;
}

function readStep(
  item: LooseObject,
  options: { readonly rubrics: readonly Pick<Rubric, "id">[]; readonly index: number },
): { readonly step: AnsweredStep; readonly problems: readonly AnswerProblem[] } {
  const { rubrics, index } = options;
  const scores = member(item, "scores");
  const rationale = textMember(item, "rationale");
  const read =
    scores?.type === "object"
      ? readScores(scores, { rubrics, step: index })
      : {
          scores: {},
          problems: rubrics.map(({ id }) => ({ kind: "missing-rubric", step: index, rubric: id }) as const),
        };
  return {
    step: { index, scores: read.scores, rationale: shortRationale(rationale) },
    problems:
      rationale === undefined ? [...read.problems, { kind: "no-rationale", step: index }] : read.problems,
  };
}

export function shortRationale(rationale: string | undefined): string {
  const text = (rationale ?? "").toWellFormed().trim();
  return text.length <= LONGEST_RATIONALE ? text : `${text.slice(0, LONGEST_RATIONALE - 1).toWellFormed()}…`;
}
