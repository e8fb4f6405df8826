import { AgentError } from "../../agents/agent.ts";
import type { EpisodeFailure } from "./episode-result.ts";

/** Puts errors into the words of a record. An error after an abort is that abort, whoever passed it on. */
export class Faults {
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  agent(error: unknown): EpisodeFailure {
    const reason = error instanceof AgentError ? error.reason : "unexpected";
    return this.#aborted() ?? { kind: "agent", reason, message: messageOf(error) };
  }

  environment(error: unknown, during: "reset" | "step" | "verdict"): EpisodeFailure {
    const name = error instanceof Error ? error.name : "Error";
    return this.#aborted() ?? { kind: "environment", during, error: name, message: messageOf(error) };
  }

  #aborted(): EpisodeFailure | undefined {
    if (this.#signal?.aborted !== true) return undefined;
    return { kind: "aborted", message: messageOf(this.#signal.reason) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
