/** Why a call lost points. */
export type ReasonCode =
  | "repeated_read"
  | "repeated_call"
  | "reverted_edit"
  | "restored_content"
  | "undone_edit"
  | "tests_broken"
  | "unused_information";

/**
 * One deduction. `message` names steps (from 0) and the tool and never quotes arguments or outputs.
 * `penalty` is what the rule took off 1.
 */
export interface Deduction {
  readonly code: ReasonCode;
  readonly message: string;
  readonly penalty: number;
}

/** A rule's score of one call in [0, 1]; null where the rule does not apply to the call. */
export interface RuleScore {
  readonly score: number | null;
  readonly deduction: Deduction | null;
}

export const passed: RuleScore = Object.freeze({ score: 1, deduction: null });
export const notApplicable: RuleScore = Object.freeze({ score: null, deduction: null });

export function deducted(code: ReasonCode, score: number, message: string): RuleScore {
  return { score, deduction: { code, message, penalty: 1 - score } };
}

/** What the three rules say of one call. */
export interface CallScores {
  readonly redundancy: RuleScore;
  readonly regression: RuleScore;
  readonly infoUtilization: RuleScore;
}

/**
 * Name of a tool as reports show it. Logs may hold anything in its place, so only what looks like a name
 * is repeated.
 */
export function shownTool(tool: string): string {
  return /^[\w.:/-]{1,64}$/.test(tool) ? tool : "(unnamed tool)";
}
