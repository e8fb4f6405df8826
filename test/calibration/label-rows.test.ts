import { describe, expect, it } from "vitest";
import { type LabelledTrajectory, labelRows, layerScore } from "../../shared/calibration/label-rows.ts";
import type { Label } from "../../shared/contracts/label.ts";

function label(more: Partial<Label>): Label {
  return {
    schema: "gymline.label.v1",
    trajectory_id: "0".repeat(64),
    annotator: "ann",
    score: 0.5,
    success: null,
    rubrics: {},
    steps: [],
    comment: "",
    labelled_at: "2026-01-01T00:00:00Z",
    ...more,
  };
}

const document = { total: 0.7, process: 0.4, layers: ["outcome", "rules"] };

function labelled(
  id: string,
  labels: readonly Label[],
  more: Partial<LabelledTrajectory> = {},
): LabelledTrajectory {
  return { id, group: "task", labels, document, ...more };
}

describe("rows from labels", () => {
  it("average annotators, and let the majority say whether the task was solved", () => {
    const three = [
      label({ annotator: "ann", score: 0.2, success: true }),
      label({ annotator: "ben", score: 0.6, success: false }),
      label({ annotator: "eve", score: 0.7, success: true }),
    ];
    const { rows, labels } = labelRows([labelled("a", three), labelled("b", three.slice(0, 2))], {
      layer: "total",
      seed: 1,
    });
    expect(rows).toEqual([
      { id: "a", group: "task", score: 0.7, human: 0.5, success: true },
      { id: "b", group: "task", score: 0.7, human: 0.4, success: null },
    ]);
    expect(labels.by_annotator).toEqual({ ann: 2, ben: 2, eve: 1 });
    expect(labels.alpha).toMatchObject({ n: 2 });
  });

  it("take the labelled steps for process and model, where there are some, and count both kinds", () => {
    const steps = [
      { index: 0, score: 0 },
      { index: 3, score: 0.5 },
    ];
    const trajectories = [labelled("a", [label({ score: 1, steps })]), labelled("b", [label({ score: 1 })])];
    const process = labelRows(trajectories, { layer: "process", seed: 1 });
    expect(process.rows.map(({ human, score }) => [human, score])).toEqual([
      [0.25, 0.4],
      [1, 0.4],
    ]);
    expect(process.labels).toEqual({
      by_annotator: { ann: 2 },
      by_kind: { overall: 1, steps: 1 },
      alpha: null,
    });
    expect(labelRows(trajectories, { layer: "total", seed: 1 }).rows.map(({ human }) => human)).toEqual([
      1, 1,
    ]);
  });

  it("leave out what has no score of the layer, and count it", () => {
    const unscored = { total: 0, layers: [], process: null };
    const trajectories = [labelled("a", [label({})]), labelled("b", [label({})], { document: unscored })];
    expect(labelRows(trajectories, { layer: "total", seed: 1 })).toMatchObject({
      rows: [{ id: "a" }],
      unscored: 1,
    });
    expect(labelRows(trajectories, { layer: "model", seed: 1 })).toMatchObject({ rows: [], unscored: 2 });
    expect(layerScore({ ...document, critic: 0.3 }, "critic")).toBe(0.3);
    expect(layerScore(undefined, "total")).toBeNull();
  });
});
