import type { Clock } from "../../ports/clock.ts";
import type { Timers } from "../../ports/timers.ts";
import { interruptible } from "../interruptible.ts";
import type { Action, AgentEnv, ResetOptions, TimeStep, Verdict } from "../protocol.ts";
import { cutOff, timeStep } from "../time-step.ts";
import { EnvWrapper } from "./env-wrapper.ts";
import { wholeNumber } from "./whole-number.ts";

export interface TimeoutOptions {
  /** Of an episode, from the end of its reset. */
  readonly milliseconds?: number;
  /** Of a reset. */
  readonly resetMilliseconds?: number;
  /** Of judging an episode that was cut off. */
  readonly verdictMilliseconds?: number;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** A reset that took too long. */
export class EnvTimeoutError extends Error {
  override readonly name = "EnvTimeoutError";
}

/**
 * Ends an episode when its time is over, in the middle of a step too: the step's signal is aborted, and the answer comes
 * at once even where the inside does not heed it. The inside must not be stepped again before a reset.
 */
export class Timeout extends EnvWrapper {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #limits: { readonly episode: number; readonly reset: number; readonly verdict: number };
  #startedAt = 0;

  /** @throws RangeError for less than a millisecond */
  constructor(env: AgentEnv, options: TimeoutOptions) {
    super(env);
    const { milliseconds = 300_000, resetMilliseconds = 300_000, verdictMilliseconds = 60_000 } = options;
    this.#clock = options.clock;
    this.#timers = options.timers;
    this.#limits = {
      episode: wholeNumber("milliseconds", milliseconds, 1),
      reset: wholeNumber("resetMilliseconds", resetMilliseconds, 1),
      verdict: wholeNumber("verdictMilliseconds", verdictMilliseconds, 1),
    };
  }

  protected override async onReset(options: ResetOptions): Promise<TimeStep> {
    const { reset } = this.#limits;
    const run = await this.#within(reset, options.signal, (signal) => super.onReset({ ...options, signal }));
    if (run === "late") throw new EnvTimeoutError(`${this.id} was not reset within ${reset / 1000} s`);
    this.#startedAt = this.#clock.now();
    return run.value;
  }

  protected override async onStep(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    const left = this.#limits.episode - this.#elapsed();
    const run = left <= 0 ? "late" : await this.#within(left, signal, (inner) => super.onStep(action, inner));
    if (run === "late") {
      const error = `the episode's ${this.#limits.episode / 1000} s are over; the step was not completed`;
      const step = timeStep({ observation: error, info: { error } });
      return cutOff(step, { verdict: await this.#judged(signal), info: this.#info() });
    }
    const step = run.value;
    if (step.done || this.#elapsed() < this.#limits.episode) return step;
    return cutOff(step, { verdict: await this.#judged(signal), info: this.#info() });
  }

  #elapsed(): number {
    return this.#clock.now() - this.#startedAt;
  }

  #info(): { readonly timeout: true; readonly elapsedSeconds: number } {
    return { timeout: true, elapsedSeconds: Math.round(this.#elapsed()) / 1000 };
  }

  /** After a time-out nobody can tell what state the inside is in: a judge that fails there says nothing. */
  async #judged(signal: AbortSignal | undefined): Promise<Verdict | undefined> {
    try {
      const run = await this.#within(this.#limits.verdict, signal, (inner) => this.verdict(inner));
      return run === "late" ? undefined : run.value;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      return undefined;
    }
  }

  async #within<T>(
    milliseconds: number,
    outer: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<"late" | { readonly value: T }> {
    const over = new AbortController();
    const signal = outer === undefined ? over.signal : AbortSignal.any([over.signal, outer]);
    const reason = new EnvTimeoutError(`${this.id}: the time is over`);
    const giveUp = this.#timers.after(milliseconds, () => over.abort(reason));
    try {
      return { value: await interruptible(work(signal), signal) };
    } catch (error) {
      if (over.signal.aborted && outer?.aborted !== true) return "late";
      throw error;
    } finally {
      giveUp();
    }
  }
}
