/**
 * What was wrong with a model's answer. Nothing in a problem quotes the answer, which may repeat the trajectory. `step`
 * is the number of the step.
 */
export type AnswerProblem =
  /** Longer than any answer should be; it was not read. */
  | { readonly kind: "too-long" }
  | { readonly kind: "no-json" }
  /** Only objects that stand word for word in the evidence: the model repeated what it was shown. */
  | { readonly kind: "quoted-evidence" }
  /** Several objects that give different scores; none of them counts. */
  | { readonly kind: "several-answers" }
  /** Text before or after the object; the object was read all the same. */
  | { readonly kind: "text-around" }
  /** The answer breaks off; only what was whole counts. */
  | { readonly kind: "cut" }
  /** No list of steps, or no scores, where they should be. */
  | { readonly kind: "no-scores" }
  /** An entry that is no object, or whose index is no whole number. */
  | { readonly kind: "bad-step"; readonly position: number }
  | { readonly kind: "unknown-step"; readonly step: number }
  /** Scored twice. `same`: equally, so the scores count; else the step has none. */
  | { readonly kind: "duplicate-step"; readonly step: number; readonly same: boolean }
  | { readonly kind: "missing-step"; readonly step: number }
  | { readonly kind: "unknown-rubric"; readonly step: number }
  | { readonly kind: "missing-rubric"; readonly step: number; readonly rubric: string }
  | { readonly kind: "bad-score"; readonly step: number; readonly rubric: string; readonly is: BadScore }
  | { readonly kind: "no-rationale"; readonly step: number }
  | { readonly kind: "no-manipulation" };

/** `duplicate`: the key stands there twice with different values. */
export type BadScore =
  | "boolean"
  | "string"
  | "null"
  | "object"
  | "array"
  | "not-finite"
  | "out-of-range"
  | "duplicate";

/** One line for reports. */
export function describeProblem(problem: AnswerProblem): string {
  switch (problem.kind) {
    case "bad-step":
      return `entry ${problem.position} is no step`;
    case "bad-score":
      return `step ${problem.step}: score of ${problem.rubric} is ${problem.is}`;
    case "missing-rubric":
      return `step ${problem.step}: no score of ${problem.rubric}`;
    case "duplicate-step":
      return `step ${problem.step} is scored twice${problem.same ? "" : ", differently"}`;
    case "unknown-step":
    case "missing-step":
    case "unknown-rubric":
    case "no-rationale":
      return `${problem.kind.replace("-", " ")} (step ${problem.step})`;
    default:
      return problem.kind.replaceAll("-", " ");
  }
}
