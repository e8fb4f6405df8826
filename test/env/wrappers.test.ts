import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EnvFaultError, ProtocolError } from "../../shared/env/protocol.ts";
import { CostLimit } from "../../shared/env/wrappers/cost-limit.ts";
import { type Wrap, wrapEnv } from "../../shared/env/wrappers/env-wrapper.ts";
import { EpisodeStatistics } from "../../shared/env/wrappers/episode-statistics.ts";
import { MaxSteps } from "../../shared/env/wrappers/max-steps.ts";
import { ObservationTruncate, truncateText } from "../../shared/env/wrappers/observation-truncate.ts";
import { Recorder } from "../../shared/env/wrappers/recorder.ts";
import { Retry } from "../../shared/env/wrappers/retry.ts";
import { Reward } from "../../shared/env/wrappers/reward.ts";
import { EnvTimeoutError, Timeout } from "../../shared/env/wrappers/timeout.ts";
import { trajectorySchema } from "../../shared/trajectory/schema.ts";
import { ManualTime } from "../factories/manual-time.ts";
import { plainEnv, TOOL } from "../factories/plain-env.ts";

const agent = { name: "tester", version: "1", model: null };

describe("MaxSteps", () => {
  it("cuts off at the limit with the verdict as the task stands, and lets no step through after", async () => {
    const env = new MaxSteps(plainEnv({ verdict: { success: true, score: 1 } }), { maxSteps: 2 });
    await env.reset();
    expect((await env.step(TOOL)).done).toBe(false);
    const last = await env.step(TOOL);
    expect(last).toMatchObject({ truncated: true, terminated: false, done: true, reward: 1 });
    expect(last.info).toMatchObject({ success: true, score: 1 });
    await expect(env.step(TOOL)).rejects.toThrow(ProtocolError);
    await env.reset();
    expect(env.stepCount).toBe(0);
  });

  it("refuses a limit that is no number of steps", () => {
    for (const maxSteps of [0, -1, 1.5, Number.NaN]) {
      expect(() => new MaxSteps(plainEnv(), { maxSteps })).toThrow(RangeError);
    }
  });
});

describe("Timeout", () => {
  it("interrupts a running step, whether or not it heeds the signal", async () => {
    for (const heeds of [true, false]) {
      const time = new ManualTime();
      const seen: unknown[] = [];
      const hang = (signal: AbortSignal | undefined) =>
        new Promise((_, reject) => {
          signal?.addEventListener("abort", () => {
            seen.push(signal.reason);
            if (heeds) reject(signal.reason);
          });
        });
      const inner = plainEnv({ during: hang, verdict: { success: false, score: 0 } });
      const env = new Timeout(inner, { milliseconds: 5000, clock: time, timers: time });
      await env.reset();
      const running = env.step(TOOL);
      time.pass(5000);
      expect(await running).toMatchObject({
        truncated: true,
        done: true,
        info: { timeout: true, elapsedSeconds: 5, success: false },
      });
      expect(seen).toEqual([expect.any(EnvTimeoutError)]);
      await expect(env.step(TOOL)).rejects.toThrow(ProtocolError);
      await expect(inner.step(TOOL)).rejects.toThrow(ProtocolError);
      expect((await env.reset()).done).toBe(false);
      expect(time.pending).toBe(0);
    }
  });

  it("carries out no step that begins too late", async () => {
    const time = new ManualTime();
    let steps = 0;
    const inner = plainEnv({ during: () => (steps += 1) });
    const env = new Timeout(inner, { milliseconds: 1000, clock: time, timers: time });
    await env.reset();
    await env.step(TOOL);
    time.pass(1000);
    expect(await env.step(TOOL)).toMatchObject({ truncated: true, info: { timeout: true } });
    expect(steps).toBe(1);
  });

  it("gives up a reset that hangs, and a judge that does", async () => {
    const time = new ManualTime();
    const hanging = plainEnv();
    hanging.reset = () => new Promise(() => undefined);
    const env = new Timeout(hanging, { resetMilliseconds: 50, clock: time, timers: time });
    const reset = env.reset();
    time.pass(50);
    await expect(reset).rejects.toThrow(EnvTimeoutError);

    const unjudged = plainEnv({ during: () => time.pass(100) });
    unjudged.verdict = () => {
      queueMicrotask(() => time.pass(60_000));
      return new Promise(() => undefined);
    };
    const judged = new Timeout(unjudged, { milliseconds: 100, clock: time, timers: time });
    await judged.reset();
    const last = await judged.step(TOOL);
    expect(last.truncated).toBe(true);
    expect(last.info.success).toBeUndefined();
  });

  it("passes on an abort from outside as what it is", async () => {
    const time = new ManualTime();
    const env = new Timeout(plainEnv({ during: () => new Promise(() => undefined) }), {
      clock: time,
      timers: time,
    });
    await env.reset();
    const controller = new AbortController();
    const running = env.step(TOOL, controller.signal);
    controller.abort(new Error("shutting down"));
    await expect(running).rejects.toThrow("shutting down");
    expect(time.pending).toBe(0);
  });
});

describe("Reward", () => {
  it("keeps the environment's reward where the function throws or gives no number, and says so", async () => {
    for (const fn of [
      () => {
        throw new Error("division by zero");
      },
      () => Number.NaN,
    ]) {
      const env = new Reward(plainEnv({ rewards: [0.5] }), { fn });
      await env.reset();
      const step = await env.step(TOOL);
      expect(step.reward).toBe(0.5);
      expect(step.info["rewardError"]).toMatch(/division by zero|no finite number/);
    }
  });

  it("rewards by the rules: a call that is repeated without need earns less", async () => {
    const env = new Reward(plainEnv(), { rules: { domain: "coding" } });
    const rewards: number[] = [];
    await env.reset();
    const read = { tool: "t", params: { i: 1 } };
    for (let step = 0; step < 3; step += 1) rewards.push((await env.step(read)).reward);
    expect(rewards[1]).toBeLessThan(rewards[0] ?? 0);
    await env.reset();
    expect((await env.step(read)).reward).toBe(rewards[0]);
  });
});

describe("Retry", () => {
  const faulty = (faults: number, transient = true) => {
    let left = faults;
    return plainEnv({
      during: () => {
        left -= 1;
        if (left >= 0) throw new EnvFaultError("busy", { transient });
      },
    });
  };

  it("makes a step again after each wait, until it goes well", async () => {
    const time = new ManualTime();
    const waits: number[] = [];
    const timers = {
      after: (milliseconds: number, ring: () => void) => {
        waits.push(milliseconds);
        queueMicrotask(ring);
        return () => undefined;
      },
    };
    const env = new Retry(faulty(2), { delaysMs: [10, 20, 40], timers });
    await env.reset();
    expect((await env.step(TOOL)).info["retries"]).toBe(2);
    expect(waits).toEqual([10, 20]);
    expect(time.pending).toBe(0);
  });

  it("gives up when the waits are used up, and never repeats what would fail again", async () => {
    const now = {
      after: (_: number, ring: () => void) => {
        queueMicrotask(ring);
        return () => undefined;
      },
    };
    const often = new Retry(faulty(3), { delaysMs: [1, 1], timers: now });
    await often.reset();
    await expect(often.step(TOOL)).rejects.toThrow("busy");
    const lasting = new Retry(faulty(1, false), { delaysMs: [1], timers: now });
    await lasting.reset();
    await expect(lasting.step(TOOL)).rejects.toThrow("busy");
    const unready = new Retry(plainEnv(), { delaysMs: [1], isTransient: () => true, timers: now });
    await expect(unready.step(TOOL)).rejects.toThrow(ProtocolError);
  });

  it("stops waiting when it is told to", async () => {
    const time = new ManualTime();
    const env = new Retry(faulty(1), { delaysMs: [1000], timers: time });
    await env.reset();
    const controller = new AbortController();
    const running = env.step(TOOL, controller.signal);
    await new Promise((resolve) => setImmediate(resolve));
    expect(time.pending).toBe(1);
    controller.abort(new Error("stop"));
    await expect(running).rejects.toThrow("stop");
    expect(time.pending).toBe(0);
  });
});

describe("CostLimit", () => {
  it("cuts off when agent and environment together have cost as much as they may", async () => {
    const env = new CostLimit(plainEnv({ info: { costUsd: 0.25 } }), { maxUsd: 1 });
    await env.reset();
    expect((await env.step({ ...TOOL, costUsd: 0.5 })).done).toBe(false);
    const last = await env.step(TOOL);
    expect(last).toMatchObject({ truncated: true, info: { costLimit: true, spentUsd: 1 } });
    await env.reset();
    expect(env.spentUsd).toBe(0);
    expect(() => new CostLimit(plainEnv(), { maxUsd: 0 })).toThrow(RangeError);
  });
});

describe("ObservationTruncate", () => {
  it("never exceeds its limit, cuts no character in two, and counts what it cut", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 200 }),
        fc.integer({ min: 1, max: 90 }),
        fc.constantFrom("start" as const, "ends" as const),
        (text, max, keep) => {
          const points = [...text];
          const result = truncateText(text, { max, keep });
          const left = [...result.text];
          expect(left.length).toBeLessThanOrEqual(max);
          if (points.length <= max) {
            expect(result).toEqual({ text, cut: 0 });
            return;
          }
          expect(result.cut).toBeGreaterThan(0);
          const mark = `\n[… ${result.cut} characters cut …]\n`;
          const told = [...mark].length + (points.length - result.cut) === left.length;
          expect(told || left.length === points.length - result.cut).toBe(true);
        },
      ),
    );
  });

  it("keeps both ends, of the reset's observation too", async () => {
    const observation = `${"a".repeat(100)}middle${"z".repeat(100)}`;
    const env = new ObservationTruncate(plainEnv({ observation }), { maxChars: 60 });
    const first = await env.reset();
    expect(first.observation).toMatch(/^a+\n\[… \d+ characters cut …\]\nz+$/);
    expect(first.observation).toHaveLength(60);
    const start = new ObservationTruncate(plainEnv({ observation }), { maxChars: 60, keep: "start" });
    expect((await start.reset()).observation).toMatch(/^a+\n\[… \d+ characters cut …\]\n$/);
    expect((await env.step(TOOL)).info["observationCut"]).toBeGreaterThan(100);
  });
});

describe("wrappers in any order", () => {
  const time = new ManualTime();
  const wraps = {
    maxSteps: (env) => new MaxSteps(env, { maxSteps: 4 }),
    timeout: (env) => new Timeout(env, { clock: time, timers: time }),
    reward: (env) => new Reward(env, { fn: (steps) => steps.length }),
    recorder: (env) => new Recorder(env, { agent, clock: time }),
    statistics: (env) => new EpisodeStatistics(env, { clock: time }),
    truncate: (env) => new ObservationTruncate(env, { maxChars: 5 }),
    retry: (env) => new Retry(env, { timers: time }),
    cost: (env) => new CostLimit(env, { maxUsd: 3 }),
  } satisfies Record<string, Wrap>;

  it("keep the protocol and end the episode where the first of them does", async () => {
    const names = Object.keys(wraps) as (keyof typeof wraps)[];
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(names),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(0, 0.8),
        async (chosen, endsAt, costUsd) => {
          const inner = plainEnv({ endsAt, observation: "a longer one" });
          const env = wrapEnv(
            inner,
            chosen.map((name) => wraps[name]),
          );
          expect(env.unwrapped).toBe(inner);
          await expect(env.step(TOOL)).rejects.toThrow(ProtocolError);
          for (let round = 0; round < 2; round += 1) {
            await env.reset({ seed: round });
            const limits = [
              endsAt,
              ...(chosen.includes("maxSteps") ? [4] : []),
              ...(chosen.includes("cost") && costUsd > 0 ? [4] : []),
            ];
            const length = Math.min(...limits);
            for (let step = 1; step <= length; step += 1) {
              const answer = await env.step({ ...TOOL, costUsd });
              expect(answer.done).toBe(step === length);
              expect(answer.done).toBe(answer.terminated || answer.truncated);
              expect(answer.terminated).toBe(step === endsAt);
              if (chosen.includes("truncate")) expect([...answer.observation]).toHaveLength(5);
              if (chosen.includes("reward")) expect(answer.reward).toBe(step);
            }
            await expect(env.step(TOOL)).rejects.toThrow(ProtocolError);
          }
          await env.close();
          await env.close();
          await expect(env.step(TOOL)).rejects.toThrow(ProtocolError);
          expect(time.pending).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("Recorder", () => {
  it("gives a valid document at any time, and says how the episode ended", async () => {
    const time = new ManualTime();
    const env = new Recorder(
      plainEnv({ endsAt: 2, rewards: [0.25], verdict: { success: false, score: 0.5 } }),
      {
        agent: { name: "ag", version: "2", model: "mo" },
        clock: time,
        run: "r1",
        attempt: 3,
      },
    );
    expect(() => env.getTrajectory()).toThrow(ProtocolError);
    await env.reset({ task: { id: "T1", description: "D1", hidden: "secret" }, seed: 7 });
    await env.step({ ...TOOL, thought: "th" });
    const unfinished = trajectorySchema.parse(env.getTrajectory());
    expect(unfinished.extra.gymline.outcome).toEqual({ success: null, exit_status: "unfinished" });
    time.pass(1500);
    await env.step(TOOL);
    const document = trajectorySchema.parse(env.getTrajectory());
    expect(unfinished.steps).toHaveLength(2);
    expect(document.steps).toHaveLength(3);
    expect(document.agent).toMatchObject({ name: "ag", version: "2", model_name: "mo" });
    expect(document.steps[1]).toMatchObject({
      source: "agent",
      message: "th",
      tool_calls: [{ function_name: "t", arguments: { i: 1 } }],
      observation: {
        results: [{ content: "o", extra: { gymline: { exit_code: 1, native: { reward: 0.25 } } } }],
      },
    });
    expect(document.steps[2]?.timestamp).toBe("2026-01-01T00:00:01.500Z");
    expect(document.extra.gymline).toMatchObject({
      session: "r1/T1/3/7",
      task: { id: "T1", description: "D1" },
      outcome: { success: false, score: 0.5, exit_status: "terminated", label_source: "environment" },
      metadata: { env: "test/plain-v1", run: "r1", attempt: 3, seed: 7 },
    });
    expect(JSON.stringify(document)).not.toContain("secret");
  });
});
