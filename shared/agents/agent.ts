import type { JsonObject, ToolDefinition } from "../env/protocol.ts";
import type { TokenUsage } from "../ports/chat-model.ts";

/** Something that acts: a model behind an API, a script, a local model. It holds no state between episodes. */
export interface Agent {
  /** Name of the harness, as trajectories carry it. */
  readonly name: string;
  readonly version: string;
  /** null where no model acts. */
  readonly model: string | null;
  /** Begins an episode with an empty history. */
  begin(episode: EpisodeStart): AgentEpisode;
}

export interface EpisodeStart {
  readonly tools: readonly ToolDefinition[];
  /** Instructions that stand above the task; the agent adds its own. */
  readonly instructions?: string;
  readonly seed: number;
}

/** One episode of an agent: its history is here and nowhere else. */
export interface AgentEpisode {
  /** The system prompt in force, for the record; null where there is none. */
  readonly systemPrompt: string | null;
  /**
   * Answers what came since the last turn: first the task, later the results of the calls of the turn before, in
   * their order, and what a user said.
   * @throws AgentError where the agent cannot go on (provider down, budget used up)
   */
  act(observations: readonly Observation[], signal?: AbortSignal): Promise<AgentTurn>;
}

export type Observation =
  | { readonly kind: "user"; readonly text: string }
  | {
      readonly kind: "result";
      readonly callId: string;
      readonly tool: string;
      readonly text: string;
      readonly isError: boolean;
    };

/** What an agent says and does at once. Without calls it only speaks. */
export interface AgentTurn {
  readonly message: string;
  readonly reasoning?: string;
  readonly calls: readonly AgentCall[];
  readonly usage?: TokenUsage;
  /** US dollars, where prices are known. */
  readonly costUsd?: number;
  /** Where the provider gives them: exact tokens of this turn, for training on them. */
  readonly tokens?: TurnTokens;
  /** Results of earlier turns that the prompt no longer held, to make room: what was recorded is more than was seen. */
  readonly forgotten?: number;
  /** `length`: cut off at the limit of the answer. */
  readonly stop: "end" | "calls" | "length" | "refusal" | "other";
}

export interface AgentCall {
  readonly id: string;
  readonly tool: string;
  readonly params: JsonObject;
  /** The arguments as the model wrote them, where they are no JSON object; `params` is empty then. */
  readonly rawArguments?: string;
}

/** `promptIds`: the whole prompt of this turn; `logprobs`: natural logarithms, one for each of `completionIds`. */
export interface TurnTokens {
  readonly promptIds: readonly number[];
  readonly completionIds: readonly number[];
  readonly logprobs?: readonly number[];
}

/** An agent cannot go on; `reason` is recorded as how the episode stopped. */
export class AgentError extends Error {
  override readonly name = "AgentError";
  readonly reason: "provider" | "budget" | "context" | "output";
  constructor(message: string, options: ErrorOptions & { readonly reason: AgentError["reason"] }) {
    super(message, options);
    this.reason = options.reason;
  }
}
