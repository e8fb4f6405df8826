import { describe, expect, it } from "vitest";
import { JudgeConfigError, parseJudgeConfig } from "../../shared/judge/config.ts";
import { worthJudging } from "../../shared/judge/gate.ts";

const band = { kind: "band", low: 0.3, high: 0.7, share: 0 } as const;
const id = "0".repeat(64);

describe("whether a trajectory is worth judging", () => {
  it("is always so without a gate", () => {
    expect(worthJudging({ id, reward: 1 }, { kind: "all" })).toEqual({ judge: true, reason: "all" });
  });

  it.each([
    [0.3, undefined, "uncertain"],
    [0.7, undefined, "uncertain"],
    [0.9, 0.5, "uncertain"],
    [0.1, 0.9, "disagreement"],
    [null, undefined, "unscored"],
    [null, null, "unscored"],
    [Number.NaN, undefined, "unscored"],
    [0.2999, undefined, "certain"],
    [0.8, 0.95, "certain"],
  ] as const)("with reward %s and critic %s is %s", (reward, critic, reason) => {
    const decision = worthJudging({ id, reward, ...(critic === undefined ? {} : { critic }) }, band);
    expect(decision).toEqual({ judge: reason !== "certain", reason });
  });

  it("is left to chance for a share of the certain ones, and the id alone decides", () => {
    const ids = Array.from({ length: 4_000 }, (_, i) => `trajectory ${i}`);
    const picked = (share: number) =>
      ids.filter(
        (each) => worthJudging({ id: each, reward: 1 }, { ...band, share }).reason === "calibration",
      );
    const few = picked(0.1);
    // Four standard deviations: sqrt(4000 · 0.1 · 0.9) ≈ 19.
    expect(Math.abs(few.length - 400)).toBeLessThan(76);
    expect(picked(0.1)).toEqual(few);
    expect(picked(0.2)).toEqual(expect.arrayContaining(few));
    expect(picked(0)).toEqual([]);
    expect(picked(1)).toEqual(ids);
  });
});

describe("the settings of a judge", () => {
  it("have defaults for everything", () => {
    expect(parseJudgeConfig()).toMatchObject({
      provider: "anthropic",
      model: "claude-haiku-5-5",
      mode: "windows",
      samples: 1,
      batch: true,
      gate: { kind: "all" },
      window: { maxSteps: 30, maxCharacters: 24_000 },
    });
    expect(parseJudgeConfig()).not.toHaveProperty("temperature");
    expect(parseJudgeConfig({ gate: { kind: "band" } }).gate).toEqual({ ...band, share: 0.05 });
  });

  it.each([
    [{ provider: "openai-compatible" }, /model: must be given/],
    [{ samples: 3, temperature: 0 }, /samples: several samples at temperature 0/],
    [{ gate: { kind: "band", low: 0.8 } }, /gate\.high: must not be below low/],
    [{ maxSteps: 1 }, /maxSteps/],
    [{ window: { maxSteps: 0 } }, /window\.maxSteps/],
    [{ prices: { x: { input: -1, cacheWrite: 1, cacheRead: 1, output: 1 } } }, /prices\.x\.input/],
    [{ unknown: 1 }, /unknown/],
  ])("say what is wrong with %j, and where", (value, message) => {
    expect(() => parseJudgeConfig(value, "gymline.json")).toThrow(message);
    expect(() => parseJudgeConfig(value, "gymline.json")).toThrow(JudgeConfigError);
    expect(() => parseJudgeConfig(value, "gymline.json")).toThrow(/gymline\.json/);
  });
});
