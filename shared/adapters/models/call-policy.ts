import { ChatModelError } from "../../ports/chat-model.ts";
import { type BackOff, backOffMs } from "../http/back-off.ts";
import { ModelSettingsError } from "./model-settings-error.ts";
import { CallTimeout, faultOf, type ProviderFault } from "./provider-fault.ts";
import { Slots } from "./slots.ts";
import type { Waits } from "./waits.ts";

/** How calls of one model are made. Times in milliseconds. */
export interface CallLimits extends BackOff {
  /** Calls at a time; others wait in the order in which they came. */
  readonly maxConcurrency: number;
  /** Tries of one call in all. */
  readonly maxTries: number;
  /** Of one try, from the request to the last byte. Node itself gives up on headers after 300 s. */
  readonly timeoutMs: number;
  /** Of all tries of one call and the waits between, from the moment it is its turn. */
  readonly deadlineMs: number;
}

export const DEFAULT_LIMITS: CallLimits = {
  maxConcurrency: 8,
  maxTries: 6,
  timeoutMs: 240_000,
  deadlineMs: 900_000,
  baseDelayMs: 500,
  longestDelayMs: 60_000,
};

/** With these, what a provider asks to wait concerns the account or the service, not the one call. */
const FOR_ALL = new Set([429, 503, 529]);

const REMEDIES: Readonly<Record<number, string>> = {
  400: "the provider does not take the request as it is: check the model's name and how structured answers are asked for",
  401: "check the API key",
  402: "check the account's billing",
  403: "check what the API key may do",
  404: "check the model's name and the base URL",
  413: "the request is too large",
  429: "the account's limit is reached: lower maxConcurrency, or go on later",
};

/**
 * The one policy for calls of a model: how many at a time, what is tried again and after which wait. A call keeps its
 * place while it waits for another try, so that a provider in trouble gets fewer calls. Where the provider asks for
 * a pause, all calls wait.
 */
export class CallPolicy {
  readonly #label: string;
  readonly #limits: CallLimits;
  readonly #waits: Waits;
  readonly #slots: Slots;
  #pause: { readonly until: number; readonly fault: ProviderFault } | null = null;

  /** @throws ModelSettingsError */
  constructor(options: {
    readonly label: string;
    readonly limits: Partial<CallLimits>;
    readonly waits: Waits;
  }) {
    this.#label = options.label;
    this.#limits = limitsOf(options.limits);
    this.#waits = options.waits;
    for (const [name, value] of Object.entries(this.#limits)) {
      const whole = name === "maxConcurrency" || name === "maxTries";
      const fits = whole ? Number.isSafeInteger(value) && value >= 1 : value > 0 && Number.isFinite(value);
      if (fits) continue;
      const wanted = whole ? "a whole number from 1 on" : "a number of milliseconds above 0";
      throw new ModelSettingsError(`${options.label}: ${name} is ${value}; give ${wanted}`);
    }
    this.#slots = new Slots(this.#limits.maxConcurrency);
  }

  get limits(): CallLimits {
    return this.#limits;
  }

  /**
   * Does the work, again where it failed for a reason that passes. `work` gets a signal that aborts when it takes too
   * long. `repeats` tells which faults may be tried again, by default all that pass.
   * @throws ChatModelError, or the reason of `signal` once that has aborted
   */
  async run<T>(
    work: (signal: AbortSignal) => Promise<T>,
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly repeats?: (fault: ProviderFault) => boolean;
    } = {},
  ): Promise<T> {
    const { signal, repeats = () => true } = options;
    const release = await this.#slots.take(signal);
    try {
      const started = this.#waits.now();
      for (let failures = 0; ; ) {
        await this.#sitOutPause({ started, signal });
        try {
          return await this.#timed(work, { started, signal });
        } catch (error) {
          signal?.throwIfAborted();
          failures += 1;
          const fault = faultOf(error, this.#waits.now());
          this.#noticePause(fault);
          if (!fault.passes || !repeats(fault)) throw this.#error(fault, { failures, started });
          await this.#beforeNextTry(fault, { failures, started, signal });
        }
      }
    } finally {
      release();
    }
  }

  /** What a failure outside of `run` means. */
  faultOf(error: unknown): ProviderFault {
    return faultOf(error, this.#waits.now());
  }

  /** Waits as between tries. @throws ChatModelError when there were enough of them */
  async backOff(fault: ProviderFault, failures: number): Promise<void> {
    await this.#beforeNextTry(fault, { failures, started: this.#waits.now(), signal: undefined });
  }

  async #beforeNextTry(fault: ProviderFault, tried: Tried): Promise<void> {
    if (tried.failures >= this.#limits.maxTries) throw this.#error(fault, tried);
    const wait = backOffMs(this.#limits, {
      failures: tried.failures,
      retryAfterMs: fault.retryAfterMs,
      random: this.#waits.random(),
    });
    await this.#wait(wait, { ...tried, fault });
  }

  #noticePause(fault: ProviderFault): void {
    if (fault.retryAfterMs === null || fault.status === null || !FOR_ALL.has(fault.status)) return;
    const until = this.#waits.now() + fault.retryAfterMs;
    if (this.#pause === null || until > this.#pause.until) this.#pause = { until, fault };
  }

  /** The pause may grow while it is sat out. */
  async #sitOutPause(tried: Omit<Tried, "failures">): Promise<void> {
    for (let pause = this.#pause; pause !== null; pause = this.#pause) {
      const left = pause.until - this.#waits.now();
      if (left <= 0) return;
      const wait = left + this.#waits.random() * this.#limits.baseDelayMs;
      await this.#wait(wait, { ...tried, failures: 0, fault: pause.fault });
    }
  }

  async #wait(ms: number, { fault, ...tried }: Tried & { readonly fault: ProviderFault }): Promise<void> {
    if (this.#waits.now() + ms >= tried.started + this.#limits.deadlineMs) {
      throw this.#error(fault, { ...tried, wait: ms });
    }
    try {
      await this.#waits.sleep(ms, tried.signal);
    } catch (error) {
      tried.signal?.throwIfAborted();
      throw error;
    }
  }

  async #timed<T>(
    work: (signal: AbortSignal) => Promise<T>,
    { started, signal }: Omit<Tried, "failures">,
  ): Promise<T> {
    const left = started + this.#limits.deadlineMs - this.#waits.now();
    return inTime(work, { ms: Math.max(1, Math.min(this.#limits.timeoutMs, left)), signal });
  }

  #error(
    fault: ProviderFault,
    tried: { readonly failures: number; readonly started: number; readonly wait?: number },
  ): ChatModelError {
    const remedy = remedyOf(fault);
    const seconds = (ms: number) => `${Number((ms / 1000).toFixed(1))} s`;
    const limit = seconds(this.#limits.deadlineMs);
    const parts = [
      `${this.#label}: ${describe(fault)}`,
      tried.failures > 1
        ? `after ${tried.failures} tries in ${seconds(this.#waits.now() - tried.started)}`
        : "",
      tried.wait === undefined
        ? ""
        : `the next try would be in ${seconds(tried.wait)}, past the limit of ${limit}`,
      remedy ?? "",
    ];
    return new ChatModelError(parts.filter((part) => part !== "").join("; "), {
      permanent: !fault.passes,
      status: fault.status,
      overflow: fault.overflow,
      ...(fault.cause === null ? {} : { cause: fault.cause }),
    });
  }
}

/** What is given may hold more than limits. */
function limitsOf(given: Partial<CallLimits>): CallLimits {
  const names = Object.keys(DEFAULT_LIMITS) as (keyof CallLimits)[];
  const limits = names.map((name) => [name, given[name] ?? DEFAULT_LIMITS[name]]);
  return { ...DEFAULT_LIMITS, ...Object.fromEntries(limits) };
}

function remedyOf({ status, undone, overflow }: ProviderFault): string | undefined {
  if (overflow && status !== 413) return "the prompt is longer than the model takes";
  if (status !== null) return REMEDIES[status];
  return undone ? "check the base URL and the network" : undefined;
}

interface Tried {
  readonly failures: number;
  readonly started: number;
  readonly signal: AbortSignal | undefined;
}

/** `429 rate_limit_error at messages.0 (request req_1)`. */
export function describe({ status, type, field, requestId }: ProviderFault): string {
  const place = field === null ? "" : ` at ${field}`;
  const id = requestId === null ? "" : ` (request ${requestId})`;
  return `${status === null ? "" : `${status} `}${type}${place}${id}`;
}

/**
 * The clients' own time-outs end with the headers, so a body that stalls would hang for good.
 * @throws CallTimeout, the reason of the signal, or what the work throws
 */
export async function inTime<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal | undefined },
): Promise<T> {
  const stopper = new AbortController();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = (reason: unknown) => {
    reject(reason);
    stopper.abort(reason);
  };
  const timer = setTimeout(() => stop(new CallTimeout(ms)), ms);
  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    return await Promise.race([work(stopper.signal), stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
