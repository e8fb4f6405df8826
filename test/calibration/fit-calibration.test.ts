import { describe, expect, it } from "vitest";
import {
  applyCalibration,
  type CalibrationDocument,
  parseCalibration,
} from "../../shared/calibration/calibration-document.ts";
import { CalibrationError } from "../../shared/calibration/calibration-error.ts";
import { chooseCalibrator } from "../../shared/calibration/choose-calibrator.ts";
import { fitCalibration } from "../../shared/calibration/fit-calibration.ts";
import { createRandom } from "../../shared/statistics/random.ts";
import { drawnRows, fitRequest, rowsOf } from "./rows.ts";

function reasonOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof CalibrationError) return error.message;
    throw error;
  }
  return "nothing was refused";
}

/** Mean squared error on rows that no fit has seen. */
function freshError(document: CalibrationDocument | null, shape: (score: number) => number): number {
  const rows = drawnRows({ n: 400, seed: 99, shape });
  const squares = rows.map(
    ({ score, human }) => ((document === null ? score : applyCalibration(document, score)) - human) ** 2,
  );
  return squares.reduce((sum, value) => sum + value, 0) / squares.length;
}

describe("choosing a calibration", () => {
  it("leaves scores as they are where people say the same", () => {
    const chosen = [1, 2, 3, 4, 5].map(
      (seed) =>
        fitCalibration(fitRequest(drawnRows({ n: 80, seed, shape: (score) => score }), { seed })).method,
    );
    expect(chosen.filter((method) => method === "identity").length).toBeGreaterThanOrEqual(4);
  });

  it("leaves scores that say nothing at their mean, not at what chance made of them", () => {
    const random = createRandom(4);
    const rows = drawnRows({ n: 60, seed: 3, shape: () => random.float(), noise: 0 });
    const document = fitCalibration(fitRequest(rows));
    expect(document.method).not.toBe("identity");
    expect(applyCalibration(document, 1) - applyCalibration(document, 0)).toBeLessThan(0.5);
  });

  it.each([
    ["too generous by a line", (score: number) => 0.1 + 0.5 * score],
    ["bent", (score: number) => score ** 3],
    ["a step", (score: number) => (score < 0.6 ? 0.1 : 0.9)],
  ] as const)("mends scores that are %s, on rows not seen before", (_name, shape) => {
    const document = fitCalibration(fitRequest(drawnRows({ n: 120, seed: 8, shape })));
    expect(document.method).not.toBe("identity");
    expect(freshError(document, shape)).toBeLessThan(0.75 * freshError(null, shape));
    const { before, after } = document.cross_validation;
    expect(after.brier.value ?? 9).toBeLessThan(before.brier.value ?? 0);
    expect(after.brier).toMatchObject({ n: 120, interval: { level: 0.95 } });
  });

  it("takes the simplest way that does", () => {
    const rows = drawnRows({ n: 200, seed: 5, shape: (score) => 0.2 + 0.3 * score });
    expect(fitCalibration(fitRequest(rows)).method).toBe("linear");
  });

  it("tries isotonic steps from 50 rows on only", () => {
    const methods = (n: number): readonly string[] =>
      fitCalibration(
        fitRequest(drawnRows({ n, seed: 1, shape: (score) => score })),
      ).cross_validation.candidates.map(({ method }) => method);
    expect(methods(49)).toEqual(["identity", "linear", "platt"]);
    expect(methods(50)).toEqual(["identity", "linear", "platt", "isotonic"]);
  });

  it("holds groups out whole", () => {
    const rows = drawnRows({ n: 60, seed: 2, shape: (score) => score, perGroup: 6 });
    // Each group has its own human score, which its rows' fold must not have seen: the level at the mean of the others.
    const points = rows.map(({ group }) => ({ score: 0.5, human: Number(group?.slice(5)) / 10 }));
    const clusters = rows.map(({ group }) => group ?? "");
    const { candidates, folds } = chooseCalibrator(points, { clusters, seed: 1 });
    expect(folds).toBe(5);
    const linear = candidates.find(({ method }) => method === "linear")?.heldOut ?? [];
    for (const [index, value] of linear.entries()) {
      const sameFold = clusters.filter((_, other) => linear[other] === value);
      expect(sameFold.filter((name) => name === clusters[index])).toHaveLength(6);
    }
  });
});

describe("what is refused, with how many are needed", () => {
  const scores = Array.from({ length: 12 }, (_, index) => index / 12);

  it("too few rows", () => {
    expect(reasonOf(() => fitCalibration(fitRequest(rowsOf([0.5], [0.5]))))).toContain("at least 2");
    const nine = rowsOf(scores.slice(0, 9), scores.slice(0, 9));
    expect(reasonOf(() => fitCalibration(fitRequest(nine)))).toContain("at least 10 are needed");
    expect(reasonOf(() => fitCalibration(fitRequest(nine)))).toContain("label 1 more");
  });

  it("columns that do not vary", () => {
    const level = scores.map(() => 0.5);
    expect(reasonOf(() => fitCalibration(fitRequest(rowsOf(scores, level))))).toContain(
      "all 12 human scores are 0.5",
    );
    expect(reasonOf(() => fitCalibration(fitRequest(rowsOf(level, scores))))).toContain(
      "all 12 automatic scores",
    );
  });

  it("scores off the scale, naming the row", () => {
    const rows = rowsOf(scores.with(4, 7), scores);
    expect(reasonOf(() => fitCalibration(fitRequest(rows)))).toContain("row row-4");
    expect(reasonOf(() => fitCalibration(fitRequest(rowsOf(scores.with(4, Number.NaN), scores))))).toContain(
      "row-4",
    );
  });

  it("rows of one group", () => {
    const rows = rowsOf(scores, scores).map((row) => ({ ...row, group: "only" }));
    expect(reasonOf(() => fitCalibration(fitRequest(rows)))).toContain("at least 2 groups");
  });
});

describe("a calibration document", () => {
  const rows = drawnRows({ n: 70, seed: 8, shape: (score) => score ** 2 });
  const document = fitCalibration(fitRequest(rows));

  it("is read back as it was written", () => {
    const read = parseCalibration(JSON.stringify(document), "calibration.json");
    expect(read).toEqual(document);
    for (const score of [0, 0.2, 0.77, 1])
      expect(applyCalibration(read, score)).toBe(applyCalibration(document, score));
  });

  it("has a version that depends on all but the time", () => {
    expect(fitCalibration(fitRequest(rows, { createdAt: "2030-01-01T00:00:00.000Z" })).version).toBe(
      document.version,
    );
    expect(fitCalibration(fitRequest(rows, { seed: 2 })).version).not.toBe(document.version);
    expect(fitCalibration(fitRequest(rows, { layer: "critic" })).version).not.toBe(document.version);
  });

  it("that is broken, foreign or changed by hand is refused with the file's name and the remedy", () => {
    const changed = { ...document, n: 71 };
    const falling = { ...document, method: "linear", parameters: { slope: -1, intercept: 0 } };
    const refusals = [
      ["{", "is no JSON"],
      ['{"schema":"gymline.score.v1"}', "method"],
      [JSON.stringify(falling), "parameters.slope"],
      [JSON.stringify(changed), "changed by hand"],
    ] as const;
    for (const [json, reason] of refusals) {
      const message = reasonOf(() => parseCalibration(json, "my/calibration.json"));
      expect(message).toContain("my/calibration.json");
      expect(message).toContain(reason);
      expect(message).toContain("gymline calibrate");
    }
  });
});
