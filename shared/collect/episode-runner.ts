import type { EpisodeDocument } from "../ports/episode-ledger.ts";
import type { EpisodeEntry, TokenCounts } from "./episode-entry.ts";
import type { EpisodePlan } from "./plan-episodes.ts";

/** What an episode gave. */
export interface EpisodeOutput
  extends Pick<EpisodeEntry, "kind" | "success" | "score" | "reward" | "steps" | "stop" | "error"> {
  readonly tokens: TokenCounts | null;
  readonly costUsd: number | null;
  readonly document: EpisodeDocument | null;
}

export interface EpisodeContext {
  readonly run: string;
  readonly signal: AbortSignal | undefined;
  readonly onStep: (step: EpisodeStep) => void;
}

/** A step that an episode under way has taken; `tool` is null where the agent only spoke. */
export interface EpisodeStep {
  readonly steps: number;
  readonly tool: string | null;
}

/** Runs episodes one after the other; what it holds between them, such as an environment, goes with `close`. */
export interface EpisodeRunner {
  /** Throws only the signal's reason, and what would hit every episode alike. */
  run(plan: EpisodePlan, context: EpisodeContext): Promise<EpisodeOutput>;
  close(): Promise<void>;
}
