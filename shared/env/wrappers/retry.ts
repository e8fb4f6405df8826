import type { Timers } from "../../ports/timers.ts";
import { interruptible } from "../interruptible.ts";
import {
  type Action,
  type AgentEnv,
  EnvFaultError,
  ProtocolError,
  type ResetOptions,
  type TimeStep,
} from "../protocol.ts";
import { EnvWrapper } from "./env-wrapper.ts";

export interface RetryOptions {
  /** Waits before the second, third… try; as many more tries as there are waits. */
  readonly delaysMs?: readonly number[];
  /** Errors after which the very same call may be made again; by default transient faults of the environment. */
  readonly isTransient?: (error: unknown) => boolean;
  readonly timers: Timers;
}

/**
 * Makes a reset or step again that failed for a reason that may pass. Mistakes of the caller and interruptions are never
 * tried again. A step is repeated as it is, so `isTransient` must only be true of errors that leave nothing behind.
 */
export class Retry extends EnvWrapper {
  readonly #delays: readonly number[];
  readonly #isTransient: (error: unknown) => boolean;
  readonly #timers: Timers;

  constructor(env: AgentEnv, options: RetryOptions) {
    super(env);
    this.#delays = options.delaysMs ?? [500, 2000, 8000];
    this.#isTransient = options.isTransient ?? isTransientFault;
    this.#timers = options.timers;
  }

  protected override onReset(options: ResetOptions): Promise<TimeStep> {
    return this.#tried(() => super.onReset(options), options.signal);
  }

  protected override onStep(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    return this.#tried(() => super.onStep(action, signal), signal);
  }

  async #tried(call: () => Promise<TimeStep>, signal: AbortSignal | undefined): Promise<TimeStep> {
    for (let tries = 0; ; tries += 1) {
      try {
        const step = await call();
        return tries === 0 ? step : { ...step, info: { ...step.info, retries: tries } };
      } catch (error) {
        const delay = this.#delays[tries];
        const hopeless = error instanceof ProtocolError || signal?.aborted === true;
        if (hopeless || delay === undefined || !this.#isTransient(error)) throw error;
        await this.#wait(delay, signal);
      }
    }
  }

  async #wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const giveUp = this.#timers.after(milliseconds, resolve);
    try {
      await interruptible(promise, signal);
    } finally {
      giveUp();
    }
  }
}

function isTransientFault(error: unknown): boolean {
  return error instanceof EnvFaultError && error.transient;
}
