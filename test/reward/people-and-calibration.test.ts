import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Calibration, HumanReading } from "../../shared/reward/readings.ts";
import { call, score, stepsWith } from "./factories.ts";

const read = call("read_file", { file_path: "a.py" }, "x");
const steps = stepsWith(read, read);

function people(overall: number, ofSteps: readonly number[] = []): HumanReading {
  return { annotators: 1, score: overall, rubrics: new Map(), steps: new Map(ofSteps.entries()) };
}

function curve(layer: Calibration["layer"], apply: (score: number) => number): Calibration {
  return { version: "a calibration", layer, apply };
}

describe("a calibration where people scored, too", () => {
  it("moves what is automatic, and leaves beside it what people gave", () => {
    // Two equal reads: process 0.5, the only automatic part, of weight 0.5; people weigh 2.
    const calibration = curve("total", (value) => value / 2);
    const document = score(steps, { human: people(0.9), calibration });
    expect(document.automatic?.total).toBe(0.5);
    // (0.5 · 0.25 + 2 · 0.9) / 2.5
    expect(document.total).toBe(0.77);
    expect(score(steps, { calibration }).total).toBe(0.25);
  });

  it("moves the process by what is not people's of the steps", () => {
    const calibration = curve("process", (value) => value / 2);
    // Automatic steps 1 and 0 with a weight of 0.6, people 2: (0.6 · 0.25 + 2 · 0.4) / 2.6
    const document = score(steps, { human: people(0.4, [0.4, 0.4]), calibration });
    expect(document.automatic?.process).toBe(0.5);
    expect(document.process).toBeCloseTo((0.6 * 0.25 + 2 * 0.4) / 2.6, 3);
    expect(score(steps, { calibration }).process).toBe(0.25);
  });

  it("never takes the total out of what lies between people and the curve", () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(unit, unit, fc.constantFrom("total" as const, "process" as const), (given, to, layer) => {
        const { total } = score(steps, {
          human: people(given, [given, given]),
          calibration: curve(layer, () => to),
        });
        expect(total).toBeGreaterThanOrEqual(Math.min(given, to) - 1e-4);
        expect(total).toBeLessThanOrEqual(Math.max(given, to) + 1e-4);
      }),
      { seed: 1 },
    );
  });

  it("changes nothing where it is the identity", () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(unit, fc.constantFrom("total" as const, "process" as const), (given, layer) => {
        const human = people(given);
        const calibrated = score(steps, { human, calibration: curve(layer, (value) => value) });
        expect(calibrated.total).toBeCloseTo(score(steps, { human }).total, 3);
      }),
      { seed: 1 },
    );
  });
});
