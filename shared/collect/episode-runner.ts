import type { EpisodeDocument } from "../ports/episode-ledger.ts";
import type { EpisodeEntry, TokenCounts } from "./episode-entry.ts";
import type { EpisodePlan } from "./plan-episodes.ts";

/** What an episode gave. */
export interface EpisodeOutput
  extends Pick<
    EpisodeEntry,
    "kind" | "success" | "score" | "reward" | "turns" | "steps" | "violations" | "stop" | "error"
  > {
  readonly tokens: TokenCounts | null;
  readonly costUsd: number | null;
  readonly document: EpisodeDocument | null;
}

export interface EpisodeContext {
  readonly run: string;
  readonly signal: AbortSignal | undefined;
  /** Called after each answer of the agent, with how many there are. */
  readonly onTurn: (turns: number) => void;
}

/** Runs episodes one after the other; what it holds between them, such as an environment, goes with `close`. */
export interface EpisodeRunner {
  /** Throws only the signal's reason, and what would hit every episode alike. */
  run(plan: EpisodePlan, context: EpisodeContext): Promise<EpisodeOutput>;
  close(): Promise<void>;
}
