import type { AgentTurn } from "../../agents/agent.ts";
import type { Clock } from "../../ports/clock.ts";
import type { TimeStep } from "../protocol.ts";
import type { EpisodeCounts } from "./episode-result.ts";

/** Adds up an episode. */
export class Tally {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #usage = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  #turns = 0;
  #steps = 0;
  #calls = 0;
  #errors = 0;
  #violations = 0;
  #reward = 0;
  #costUsd = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  begun(first: TimeStep): void {
    this.#costUsd += first.info.costUsd ?? 0;
  }

  turn({ usage, costUsd, calls }: AgentTurn): void {
    this.#turns += 1;
    this.#calls += calls.length;
    this.#costUsd += costUsd ?? 0;
    if (usage === undefined) return;
    this.#usage.input += usage.input;
    this.#usage.cacheRead += usage.cacheRead;
    this.#usage.cacheWrite += usage.cacheWrite;
    this.#usage.output += usage.output;
  }

  step({ reward, info }: TimeStep): void {
    this.#steps += 1;
    this.#reward += reward;
    this.#costUsd += info.costUsd ?? 0;
    if (info.error !== undefined) this.#errors += 1;
    if (info.violation !== undefined) this.#violations += 1;
  }

  unreadable(): void {
    this.#errors += 1;
  }

  reward(more: number): void {
    this.#reward += more;
  }

  counts(): EpisodeCounts {
    return {
      turns: this.#turns,
      steps: this.#steps,
      calls: this.#calls,
      errors: this.#errors,
      violations: this.#violations,
      reward: this.#reward,
      usage: { ...this.#usage },
      costUsd: this.#costUsd,
      seconds: (this.#clock.now() - this.#startedAt) / 1000,
    };
  }
}
