import type { DomainProfile } from "../domains/profile.ts";
import { factSteps } from "../reward/fact-steps.ts";
import { type TrajectoryFacts, trajectoryFacts } from "../reward/trajectory-facts.ts";
import { agentSteps } from "../trajectory/agent-steps.ts";
import { contentText } from "../trajectory/content.ts";
import type { Content, Trajectory } from "../trajectory/schema.ts";
import type { CriticRun } from "./critic-step.ts";

/** Everything the critic needs to know of a canonical trajectory. Outcome, task id and names are not in it. */
export function criticRun(trajectory: Pick<Trajectory, "steps">, profile: DomainProfile): CriticRun {
  return criticRunOf(trajectory, trajectoryFacts(factSteps(trajectory), profile));
}

/** @param facts of the same trajectory, where they are at hand already */
export function criticRunOf(
  trajectory: Pick<Trajectory, "steps">,
  facts: Pick<TrajectoryFacts, "steps" | "domain">,
): CriticRun {
  const messages = agentSteps(trajectory).map(({ message }) => message);
  return {
    domain: facts.domain,
    asked: askedIn(trajectory),
    steps: facts.steps.map((step, index) => ({ facts: step, message: messages[index] ?? "" })),
  };
}

/** User messages before the first step of the agent. */
function askedIn({ steps }: Pick<Trajectory, "steps">): string {
  const parts: string[] = [];
  for (const step of steps) {
    if (step.source === "agent" && step.is_copied_context !== true) break;
    if (step.source === "user") parts.push(contentText(step.message as Content));
  }
  return parts.join("\n");
}
