import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  defaultGdiWeights,
  GdiWeightsError,
  gdiDecayPerDay,
  gdiScore,
  rankByGdi,
} from "../../shared/curation/gdi.ts";
import { type GoldenCase, golden, hasGolden, whyGolden } from "../reward/golden.ts";

type GdiCase = GoldenCase<
  {
    readonly now: number;
    readonly reward?: number;
    readonly export_count?: number;
    readonly max_export_count?: number;
    readonly feedback_score?: number;
    readonly created_at?: number;
  },
  unknown
>;

const now = 1_767_225_600_000;
const day = 86_400_000;

describe.skipIf(!hasGolden)(`GDI against the reference vectors${whyGolden}`, () => {
  it.for(golden<GdiCase>("gdi.json").filter((each) => each.reference_defect === undefined))(
    "gives what $name gives",
    ({ name, input, expected }) => {
      if (name === "weights") {
        expect({ weights: defaultGdiWeights, decay: gdiDecayPerDay }).toEqual(expected);
        return;
      }
      const seconds = input.created_at;
      const given = {
        reward: input.reward,
        exportCount: input.export_count,
        maxExportCount: input.max_export_count,
        feedbackScore: input.feedback_score,
        createdAt: typeof seconds === "number" ? seconds * 1000 : null,
      };
      expect(gdiScore(given, { now: input.now * 1000 })).toEqual(expected);
    },
  );
});

describe("GDI", () => {
  it("takes any use for full use where there is no maximum", () => {
    expect(gdiScore({ exportCount: 5, maxExportCount: 0 }, { now }).utility).toBe(1);
    expect(gdiScore({ exportCount: 0, maxExportCount: 0 }, { now }).utility).toBe(0);
  });

  it("falls as a trajectory ages, measured at the given time", () => {
    const totals = [0, 1, 30, 300].map(
      (days) => gdiScore({ createdAt: now }, { now: now + days * day }).total,
    );
    expect(totals).toEqual([...totals].sort((a, b) => b - a));
    expect(new Set(totals).size).toBe(4);
  });

  it("refuses weights that do not sum to 1 or are negative", () => {
    const weights = { ...defaultGdiWeights, intrinsic: 0.5 };
    expect(() => gdiScore({}, { now, weights })).toThrow(GdiWeightsError);
    expect(() => gdiScore({}, { now, weights: { ...weights, utility: -0.2, feedback: 0.55 } })).toThrow(
      /negative/,
    );
  });

  it("ranks the best first and keeps the order of equals", () => {
    const items = [
      { id: "a", reward: 0.5 },
      { id: "b", reward: 0.9 },
      { id: "c", reward: 0.5 },
      { id: "d", reward: 0.9 },
    ];
    expect(rankByGdi(items, { now }).map((each) => each.item.id)).toEqual(["b", "d", "a", "c"]);
  });

  it("stays in [0, 1] whatever is put in", () => {
    const number = fc.option(fc.double());
    fc.assert(
      fc.property(
        number,
        number,
        number,
        number,
        number,
        (reward, exportCount, maxExportCount, feedbackScore, createdAt) => {
          const gdi = gdiScore({ reward, exportCount, maxExportCount, feedbackScore, createdAt }, { now });
          for (const value of Object.values(gdi)) expect(value >= 0 && value <= 1).toBe(true);
        },
      ),
    );
  });
});
