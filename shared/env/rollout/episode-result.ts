import type { TokenUsage } from "../../ports/chat-model.ts";
import type { Outcome } from "../../trajectory/gymline-extra.ts";
import type { Trajectory } from "../../trajectory/schema.ts";
import type { StepInfo, Verdict } from "../protocol.ts";

/** What kept an episode from coming to its end. It is no verdict on the agent's work. */
export type EpisodeFailure =
  | {
      readonly kind: "agent";
      /** As `AgentError` gives it; `unexpected`: another error. */
      readonly reason: "provider" | "budget" | "context" | "output" | "unexpected";
      readonly message: string;
    }
  | {
      readonly kind: "environment";
      readonly during: "reset" | "step" | "verdict";
      readonly error: string;
      readonly message: string;
    }
  | { readonly kind: "aborted"; readonly message: string };

/** An agent that ran out of budget, context or sense has had its attempt; one without provider or environment has not. */
export function hadAttempt(failure: EpisodeFailure): boolean {
  return failure.kind === "agent" && ["budget", "context", "output"].includes(failure.reason);
}

/** Figures of an episode. */
export interface EpisodeCounts {
  /** Answers of the agent. */
  readonly turns: number;
  /** Steps of the environment. */
  readonly steps: number;
  /** Calls of the agent, those that were not carried out included. */
  readonly calls: number;
  /** Steps that the environment answered with an error, and calls that could not be read. */
  readonly errors: number;
  /** Steps whose action the environment calls unsafe or forbidden. */
  readonly violations: number;
  /** Sum over the steps. */
  readonly reward: number;
  readonly usage: TokenUsage;
  /** US dollars of agent and environment, as far as prices are known. */
  readonly costUsd: number;
  readonly seconds: number;
}

export interface EpisodeResult {
  /** Valid ATIF, to be dropped as a file; null where nothing came about: the reset failed. */
  readonly trajectory: Trajectory | null;
  readonly outcome: Outcome;
  readonly statistics: EpisodeCounts;
  readonly failure?: EpisodeFailure;
}

/** How the loop came to an end. */
export type Ending =
  | { readonly kind: "done"; readonly info: StepInfo; readonly terminated: boolean }
  /** By a limit of the loop, or because the agent went on without calls. */
  | { readonly kind: "cut"; readonly by: CutReason; readonly verdict: Verdict | undefined }
  | { readonly kind: "failed"; readonly failure: EpisodeFailure; readonly verdict?: Verdict | undefined };

export type CutReason = "max_turns" | "max_tokens" | "max_cost" | "no_call";

/** The outcome as trajectories carry it. Nothing is guessed: where nobody judged, success is null. */
export function outcomeOf(ending: Ending, reward: number): Outcome {
  const facts = ending.kind === "done" ? ending.info : (ending.verdict ?? {});
  const { success = null, score = null, tests, unmet = [] } = facts;
  return {
    success,
    ...(score === null ? {} : { score }),
    ...(tests === undefined
      ? {}
      : {
          tests_passed: tests.passed,
          tests_failed: tests.failed,
          tests_total: tests.passed + tests.failed,
        }),
    exit_status: exitStatus(ending),
    ...(unmet.length === 0 ? {} : { feedback: `not met: ${unmet.join("; ")}` }),
    ...(success === null ? {} : { label_source: "environment" }),
    metadata: {
      reward,
      terminated: ending.kind === "done" && ending.terminated,
      truncated: ending.kind === "done" ? !ending.terminated : true,
      ...(ending.kind === "failed" ? { failure: { ...ending.failure } } : {}),
    },
  };
}

function exitStatus(ending: Ending): string {
  if (ending.kind === "cut") return ending.by;
  if (ending.kind === "done") {
    if (ending.terminated) return "terminated";
    if (ending.info["timeout"] === true) return "timeout";
    return ending.info["costLimit"] === true ? "max_cost" : "truncated";
  }
  const { failure } = ending;
  if (failure.kind === "agent") return `agent_error:${failure.reason}`;
  return failure.kind === "environment" ? `env_error:${failure.during}` : "aborted";
}
