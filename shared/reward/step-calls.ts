import type { DomainProfile } from "../domains/profile.ts";
import { createToolClassifier, type ToolClassifier } from "../domains/tool-classifier.ts";
import { ownCalls, type RuleCall, type RuleStep } from "./rule-step.ts";

/** A few profiles score many trajectories. */
const classifiers = new WeakMap<DomainProfile, ToolClassifier>();

/** What tools are by a profile; made once for each. */
export function classifierOf(profile: DomainProfile): ToolClassifier {
  const known = classifiers.get(profile) ?? createToolClassifier(profile);
  classifiers.set(profile, known);
  return known;
}

/** Which calls a step is scored by. */
export function callReader(
  compatible: boolean,
  classifier: ToolClassifier,
): (step: RuleStep) => readonly RuleCall[] {
  const respond = classifier.specOf("respond");
  return (step) => {
    const calls = ownCalls(step);
    if (calls.length > 0) return calls;
    if (compatible) return [{ tool: "", params: {}, output: "" }];
    const message: unknown = step?.message;
    return respond !== null && typeof message === "string" && message.trim() !== ""
      ? [{ tool: "respond", params: { message }, output: "" }]
      : [];
  };
}
