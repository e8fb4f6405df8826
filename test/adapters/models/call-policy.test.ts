import { describe, expect, it } from "vitest";
import { type CallLimits, CallPolicy } from "../../../shared/adapters/models/call-policy.ts";
import { ModelSettingsError } from "../../../shared/adapters/models/model-settings-error.ts";
import type { Waits } from "../../../shared/adapters/models/waits.ts";

/** A clock that only sleeping moves. */
class Clock implements Waits {
  time = 1_000_000;
  readonly slept: number[] = [];
  readonly #random: number;
  constructor(random = 1) {
    this.#random = random;
  }
  now = () => this.time;
  random = () => this.#random;
  sleep = async (ms: number, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    this.slept.push(ms);
    this.time += ms;
  };
}

/** What the providers' clients throw for a status. */
class StatusError extends Error {
  readonly status: number;
  readonly headers: Headers;
  readonly type = "overloaded_error";
  constructor(status: number, headers: Record<string, string> = {}) {
    super("the text of a prompt");
    this.status = status;
    this.headers = new Headers(headers);
  }
}

function policy(limits: Partial<CallLimits> = {}, clock = new Clock()) {
  return { policy: new CallPolicy({ label: "someone m", limits, waits: clock }), clock };
}

/** Fails as told, then works. */
function flaky(...errors: readonly Error[]) {
  let calls = 0;
  return {
    work: async () => {
      const error = errors[calls];
      calls += 1;
      if (error !== undefined) throw error;
      return "done";
    },
    calls: () => calls,
  };
}

describe("the policy for calls of a model", () => {
  it("waits twice as long at the most after each further failure, up to the longest wait", async () => {
    const { policy: calls, clock } = policy({ maxTries: 10, baseDelayMs: 100, longestDelayMs: 500 });
    const { work } = flaky(...[500, 502, 529, 408, 409].map((status) => new StatusError(status)));
    expect(await calls.run(work)).toBe("done");
    expect(clock.slept).toEqual([100, 200, 400, 500, 500]);
  });

  it("waits what the provider asks for where it asks", async () => {
    const { policy: calls, clock } = policy({ baseDelayMs: 100 }, new Clock(0.5));
    const date = new Date(clock.time + 60_000).toUTCString();
    const { work } = flaky(
      new StatusError(500, { "retry-after": "7" }),
      new StatusError(500, { "retry-after-ms": "30" }),
      new StatusError(500, { "retry-after": date }),
    );
    await calls.run(work);
    const [seconds, milliseconds, until] = clock.slept;
    expect([seconds, milliseconds]).toEqual([7050, 80]);
    // The date has whole seconds, and 7130 ms of its minute were spent.
    expect(until).toBeGreaterThan(51_000);
    expect(until).toBeLessThan(53_000);
  });

  it("stops at the deadline and says what the next wait would have been", async () => {
    const { policy: calls, clock } = policy({
      ...{ maxTries: 100, baseDelayMs: 1000, longestDelayMs: 1000, deadlineMs: 4500 },
    });
    const { work, calls: count } = flaky(...Array.from({ length: 100 }, () => new StatusError(503)));
    await expect(calls.run(work)).rejects.toThrow(
      "someone m: 503 overloaded_error; after 5 tries in 4 s; the next try would be in 1 s, past the limit of 4.5 s",
    );
    expect(count()).toBe(5);
    expect(clock.slept).toHaveLength(4);
  });

  it("sits out a pause that grows meanwhile", async () => {
    const clock = new Clock(0);
    const { policy: calls } = policy({ maxTries: 1 }, clock);
    const refuse = (seconds: string) =>
      expect(calls.run(flaky(new StatusError(429, { "retry-after": seconds })).work)).rejects.toThrow("429");
    // Both are on their way when the first pause begins.
    const { promise: later, resolve } = Promise.withResolvers<void>();
    const second = calls
      .run(async () => {
        await later;
        throw new StatusError(429, { "retry-after": "30" });
      })
      .catch(() => null);
    await refuse("9");
    const sleep = clock.sleep;
    clock.sleep = async (ms, signal) => {
      await sleep(ms, signal);
      resolve();
      await second;
    };
    await calls.run(flaky().work);
    expect(clock.slept).toEqual([9000, 30_000]);
  });

  it("lets a fault of one call hold back no other", async () => {
    const clock = new Clock(0);
    const { policy: calls } = policy({ maxTries: 1 }, clock);
    await expect(calls.run(flaky(new StatusError(500, { "retry-after": "9" })).work)).rejects.toThrow("500");
    await calls.run(flaky().work);
    expect(clock.slept).toEqual([]);
    await expect(calls.run(flaky(new StatusError(429, { "retry-after": "9" })).work)).rejects.toThrow("429");
    await calls.run(flaky().work);
    expect(clock.slept).toEqual([9000]);
  });

  it("refuses at once what would have to wait past its deadline, and goes on when the pause is over", async () => {
    const { policy: calls, clock } = policy({ maxTries: 1, deadlineMs: 5000 });
    await expect(calls.run(flaky(new StatusError(429, { "retry-after": "60" })).work)).rejects.toThrow("429");
    const { work, calls: count } = flaky();
    await expect(calls.run(work)).rejects.toThrow("the next try would be in 60.5 s, past the limit of 5 s");
    expect(count()).toBe(0);
    clock.time += 60_001;
    expect(await calls.run(work)).toBe("done");
  });

  it("tries nothing again that is no fault of provider or connection, and keeps its cause", async () => {
    const { policy: calls } = policy();
    const cause = new RangeError("a mistake of ours");
    const { work, calls: count } = flaky(cause);
    await expect(calls.run(work)).rejects.toMatchObject({ permanent: true, status: null, cause });
    expect(count()).toBe(1);
  });

  it("takes a certificate that is refused for no passing fault", async () => {
    const { policy: calls } = policy();
    const tls = Object.assign(new Error("expired"), { code: "CERT_HAS_EXPIRED" });
    const { work, calls: count } = flaky(new TypeError("fetch failed", { cause: tls }));
    await expect(calls.run(work)).rejects.toThrow("certificate refused (CERT_HAS_EXPIRED)");
    expect(count()).toBe(1);
  });

  it("gives its slot back however a call ends", async () => {
    const { policy: calls } = policy({ maxConcurrency: 1, maxTries: 1, timeoutMs: 10 });
    await expect(calls.run(flaky(new StatusError(500)).work)).rejects.toThrow("500");
    await expect(calls.run(() => new Promise(() => undefined))).rejects.toThrow("no answer in time");
    await expect(calls.run(flaky().work, { signal: AbortSignal.abort(new Error("off")) })).rejects.toThrow(
      "off",
    );
    expect(await calls.run(flaky().work)).toBe("done");
  });

  it("never shows a key that stands beside its limits", () => {
    const limits = { maxTries: 0, apiKey: "sk-secret" };
    const make = () => new CallPolicy({ label: "someone m", limits, waits: new Clock() });
    expect(make).toThrow(ModelSettingsError);
    expect(make).toThrow(/^someone m: maxTries is 0; give a whole number from 1 on$/);
  });
});
