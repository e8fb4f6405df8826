import type { StepFacts } from "../reward/trajectory-facts.ts";

/** One agent step with what answered it, as the critic's features see it. */
export interface CriticStep {
  readonly facts: StepFacts;
  /** What the agent said. */
  readonly message: string;
  /** Messages of the user (or of the harness in the user's place) after this step and before the next. */
  readonly replies: readonly string[];
}

/** A run as the critic sees it. */
export interface CriticRun {
  readonly steps: readonly CriticStep[];
  readonly domain: string;
}
