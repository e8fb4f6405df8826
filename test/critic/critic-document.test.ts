import { describe, expect, it } from "vitest";
import { checkModelBytes, parseCritic } from "../../shared/critic/critic-document.ts";
import { criticGroup } from "../../shared/critic/critic-table.ts";
import { criticFeatureNames, FEATURES_VERSION } from "../../shared/critic/features.ts";
import { criticDocument } from "./documents.ts";

const changed = (change: (document: ReturnType<typeof criticDocument>) => void): string => {
  const document = criticDocument();
  change(document);
  return JSON.stringify(document);
};

describe("critic.json", () => {
  it("is read as it was written", () => {
    const document = criticDocument();
    expect(parseCritic(JSON.stringify(document), "critic.json")).toEqual(document);
  });

  it.each([
    ["no JSON", "{", "x/critic.json is no valid JSON"],
    ["another schema", changed((d) => Object.assign(d, { schema: "other" })), "schema"],
    [
      "a path instead of a file name",
      changed((d) => Object.assign(d.model, { file: "../m.onnx" })),
      "model.file",
    ],
  ])("is refused with file and place where it has %s", (_, json, says) => {
    expect(() => parseCritic(json, "x/critic.json")).toThrow(says);
    expect(() => parseCritic(json, "x/critic.json")).toThrow("x/critic.json");
  });

  it("is refused where it was trained on another version of the features, or on others", () => {
    const other = changed((d) => Object.assign(d.features, { version: FEATURES_VERSION + 1 }));
    expect(() => parseCritic(other, "c")).toThrow(`version ${FEATURES_VERSION + 1} of the features`);
    const names = [...criticFeatureNames].reverse();
    expect(() =>
      parseCritic(
        changed((d) => Object.assign(d.features, { names })),
        "c",
      ),
    ).toThrow("train the critic again");
  });

  it("goes with one model file only", () => {
    const document = criticDocument();
    expect(() => checkModelBytes(document, new Uint8Array([1]), "m.onnx")).toThrow("m.onnx is not the model");
  });
});

describe("the group of a trajectory", () => {
  it.each([
    [{ repo: "Django/Django", id: "t" }, "repository django/django"],
    [{ id: "django__django-11001" }, "repository django/django"],
    [{ id: "scikit-learn__scikit-learn-7" }, "repository scikit-learn/scikit-learn"],
    [{ id: "airline-3" }, "task airline-3"],
    [{}, "trajectory abc"],
  ])("is the repository, else the task, else the trajectory: %j", (task, group) => {
    expect(criticGroup(task, "abc")).toBe(group);
  });
});
