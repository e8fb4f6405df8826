import type { StepFacts } from "../reward/trajectory-facts.ts";

/** One agent step with what answered it, as the critic's features see it. */
export interface CriticStep {
  readonly facts: StepFacts;
  /** What the agent said. */
  readonly message: string;
}

/** A run as the critic sees it. */
export interface CriticRun {
  readonly domain: string;
  /** What the agent was asked before its first step. Its words only serve to look others up in them. */
  readonly asked: string;
  readonly steps: readonly CriticStep[];
}
