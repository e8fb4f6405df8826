import type { DomainProfile } from "../domains/profile.ts";
import { createToolClassifier, type ToolClassifier } from "../domains/tool-classifier.ts";
import { argumentText } from "./argument-text.ts";
import { type CallFacts, callFacts } from "./call-facts.ts";
import { viewCalls } from "./call-view.ts";
import { ownCalls, placeCalls, type RuleStep } from "./rule-step.ts";

/** A step with the thought the log sets apart; without one, what stands beside the call is taken for it. */
export interface FactStep extends RuleStep {
  readonly thought?: string | null;
  /** What the agent was told after this step, other than the results of its calls. */
  readonly replies?: readonly string[];
}

export interface StepFacts {
  readonly index: number;
  /** Characters the agent wrote beside its calls. */
  readonly thoughtLength: number;
  /** Characters of the arguments of its calls. */
  readonly actionLength: number;
  /** Whether the agent said something. */
  readonly speaks: boolean;
  readonly replies: readonly string[];
  readonly calls: readonly CallFacts[];
}

/** What a trajectory's steps and calls say by themselves, without its outcome. */
export interface TrajectoryFacts {
  readonly steps: readonly StepFacts[];
  /** Calls of all steps, in order. */
  readonly calls: readonly CallFacts[];
  readonly domain: string;
}

/** Works out the facts of every step and call once, for all who score by them. Pure and linear. */
export function trajectoryFacts(steps: readonly FactStep[], profile: DomainProfile): TrajectoryFacts {
  const calls = callFacts(viewCalls(placeCalls(steps, ownCalls), classifierOf(profile)));
  const byStep: CallFacts[][] = steps.map(() => []);
  for (const call of calls) byStep[call.view.at.step]?.push(call);
  return {
    calls,
    domain: profile.domain,
    steps: steps.map((step, index) => {
      const own = byStep[index] ?? [];
      const actionLength = own.reduce((sum, call) => sum + argumentText(call.view.at.params).length, 0);
      return {
        index,
        thoughtLength: thoughtLengthOf(step, actionLength),
        actionLength,
        speaks: typeof step?.message === "string" && step.message.trim() !== "",
        replies: repliesOf(step),
        calls: own,
      };
    }),
  };
}

function thoughtLengthOf(step: FactStep, actionLength: number): number {
  const thought: unknown = step?.thought;
  if (typeof thought === "string" && thought !== "") return thought.length;
  const message: unknown = step?.message;
  // A call that was parsed out of the message stands in it a second time.
  return typeof message === "string" ? Math.max(0, message.length - actionLength) : 0;
}

function repliesOf(step: FactStep): readonly string[] {
  const replies: unknown = step?.replies;
  return Array.isArray(replies) ? replies.filter((reply) => typeof reply === "string") : [];
}

/** A few profiles serve many trajectories. */
const classifiers = new WeakMap<DomainProfile, ToolClassifier>();

function classifierOf(profile: DomainProfile): ToolClassifier {
  const known = classifiers.get(profile) ?? createToolClassifier(profile);
  classifiers.set(profile, known);
  return known;
}
