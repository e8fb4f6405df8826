import type { DomainProfile } from "../domains/profile.ts";
import { type FactStep, type TrajectoryFacts, trajectoryFacts } from "../reward/trajectory-facts.ts";
import { agentSteps } from "../trajectory/agent-steps.ts";
import { contentText } from "../trajectory/content.ts";
import type { Content, Trajectory } from "../trajectory/schema.ts";

import type { CriticRun, CriticStep } from "./critic-step.ts";

/** The agent's steps of a canonical trajectory, as facts are worked out from. */
export function factSteps(trajectory: Pick<Trajectory, "steps">): readonly FactStep[] {
  return agentSteps(trajectory).map(({ message, thought, calls }) => ({
    message,
    thought,
    calls: calls.map(({ tool, params, output, exitCode }) => ({
      tool,
      params,
      output: output ?? "",
      exitCode,
    })),
  }));
}

/** @param facts of the same trajectory: `trajectoryFacts(factSteps(trajectory), profile)` */
export function criticSteps(
  trajectory: Pick<Trajectory, "steps">,
  facts: Pick<TrajectoryFacts, "steps">,
): readonly CriticStep[] {
  const steps: CriticStep[] = [];
  let replies: string[] = [];
  for (const step of trajectory.steps) {
    if (step.is_copied_context === true || step.source === "system") continue;
    const text = contentText(step.message as Content);
    if (step.source === "user") {
      replies.push(text);
      continue;
    }
    const own = facts.steps[steps.length];
    if (own === undefined) break;
    replies = results(step.observation?.results ?? []);
    steps.push({ facts: own, message: text, replies });
  }
  return steps;
}

/** Observations that answer no particular call. */
function results(all: NonNullable<Trajectory["steps"][number]["observation"]>["results"]): string[] {
  return all
    .filter(({ source_call_id: id }) => typeof id !== "string")
    .map(({ content }) => contentText(content));
}

/** Everything the critic needs to know of a trajectory. */
export function criticRun(trajectory: Pick<Trajectory, "steps">, profile: DomainProfile): CriticRun {
  const facts = trajectoryFacts(factSteps(trajectory), profile);
  return { domain: facts.domain, steps: criticSteps(trajectory, facts) };
}
