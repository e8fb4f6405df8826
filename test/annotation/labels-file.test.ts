import { describe, expect, it } from "vitest";
import { LabelsFileError, readLabelsFile } from "../../shared/annotation/labels-file.ts";
import { makeFile, makeLabel } from "./label-factory.ts";

const read = (file: unknown) => readLabelsFile(JSON.stringify(file), "ann.json");
const refusedOf = (more: Readonly<Record<string, unknown>>) =>
  read(makeFile([makeLabel("one"), { ...makeLabel("two"), ...more }]));

describe("a file of labels", () => {
  it("gives its labels, each with its place", () => {
    const { labels, refused, drafts } = read(makeFile([makeLabel("one"), makeLabel("two")]));
    expect(labels.map(({ place }) => place)).toEqual(["labels[0]", "labels[1]"]);
    expect([refused, drafts]).toEqual([[], 0]);
  });

  it.each([
    ["text", "not json", "it is no valid JSON"],
    ["another document", '{"schema":"gymline.score.v1"}', "schema"],
    ["a list", "[]", "$"],
    [
      "an annotator who may stand in no key",
      JSON.stringify({ ...makeFile([]), annotator: "../x" }),
      "annotator",
    ],
  ])("that is %s is refused, naming file, place and remedy", (_, text, place) => {
    const refuse = () => readLabelsFile(text, "ann.json");
    expect(refuse).toThrow(LabelsFileError);
    expect(refuse).toThrow(`ann.json: ${place}`);
    expect(refuse).toThrow("gymline annotate --out");
  });

  it.each([
    ["a score beyond 1", { score: 1.5 }, "labels[1].score"],
    ["no score", { score: undefined }, "labels[1].score"],
    ["a bad id", { trajectory_id: "abc" }, "labels[1].trajectory_id"],
    ["a bad step", { steps: [{ index: -1, score: 1 }] }, "labels[1].steps[0].index"],
    ["a step twice", { steps: [0, 1].map((score) => ({ index: 3, score })) }, "labels[1].steps"],
    ["an unknown rubric", { rubrics: { charm: 1 } }, "labels[1].rubrics"],
    ["somebody else's name", { annotator: "bob" }, "labels[1].annotator"],
    ["no time", { labelled_at: "yesterday" }, "labels[1].labelled_at"],
  ])("loses only the label that has %s", (_, more, place) => {
    const { labels, refused } = refusedOf(more);
    expect(labels.map(({ label }) => label.trajectory_id)).toEqual([makeLabel("one").trajectory_id]);
    expect(refused).toMatchObject([{ file: "ann.json", place }]);
    expect(refused[0]?.remedy).not.toBe("");
  });

  it("may have begun labels, which count for nothing", () => {
    expect(read({ ...makeFile([makeLabel("one")]), drafts: [{}, {}] })).toMatchObject({
      drafts: 2,
      refused: [],
    });
  });
});
