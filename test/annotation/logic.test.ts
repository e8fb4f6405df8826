import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Action,
  annotatorOf,
  doneCount,
  draftOf,
  firstState,
  keyTable,
  labelsFile,
  meaningOf,
  reduce,
  type State,
  takenFrom,
} from "../../shared/annotation/client/logic.ts";
import { readLabelsFile } from "../../shared/annotation/labels-file.ts";
import { makePage, pageItem } from "./page-factory.ts";

const page = makePage(["one", "two", "three"]);
const AT = "2026-01-31T12:00:00.000Z";

/** Presses keys, as a person would outside of text fields. */
function pressed(keys: string, state: State = firstState("ann")): State {
  let now = state;
  for (const key of keys.split(" ")) {
    const meaning = meaningOf(key);
    if (meaning !== undefined && typeof meaning !== "string") now = reduce(now, meaning, { page, at: AT });
  }
  return now;
}

const draft = (state: State, item = 0) => draftOf(state, page.items[item]?.id ?? "");

describe("keys of the annotation page", () => {
  it("score the trajectory: 1 to 5 are 0 to 1 in quarters", () => {
    expect(["1", "2", "3", "4", "5"].map((key) => draft(pressed(key)).score)).toEqual([
      0, 0.25, 0.5, 0.75, 1,
    ]);
    expect(draft(pressed("4 x")).score).toBeNull();
  });

  it("say whether the task was solved", () => {
    expect(["y", "n", "u"].map((key) => draft(pressed(key)).solved)).toEqual(["yes", "no", "unclear"]);
  });

  it("go from step to step and from trajectory to trajectory, and stop at the ends", () => {
    expect(pressed("j j").turn).toBe(2);
    expect(pressed("j j k k k").turn).toBe(0);
    expect(pressed("j j j j j j j j").turn).toBe((page.items[0]?.turns.length ?? 0) - 1);
    expect(pressed("l l l l").item).toBe(2);
    expect([pressed("j l").item, pressed("j l").turn]).toEqual([1, 0]);
    expect(pressed("l h h").item).toBe(0);
  });

  it("score rubric after rubric, and then the trajectory again", () => {
    const state = pressed("r 5 1 3");
    expect(draft(state)).toMatchObject({ rubrics: { goal_progress: 1, tool_choice: 0 }, score: 0.5 });
    expect(draft(pressed("r r 2"))).toMatchObject({ rubrics: { tool_choice: 0.25 }, score: null });
    expect(draft(pressed("r 5 Escape 2"))).toMatchObject({ rubrics: { goal_progress: 1 }, score: 0.25 });
    expect(draft(pressed("r 5 Escape r x")).rubrics).toEqual({});
  });

  it("score the marked step once, where it is the agent's", () => {
    expect(draft(pressed("j s 2 5"))).toMatchObject({ steps: { 0: 0.25 }, score: 1 });
    expect(draft(pressed("s 2"))).toMatchObject({ steps: {}, score: null });
  });

  it("find the next trajectory without a score, round the end", () => {
    expect(pressed("3 l 3 l l g").item).toBe(2);
    expect(pressed("l l 3 g").item).toBe(0);
    expect(pressed("3 l 3 l 3 g").item).toBe(2);
  });

  it("leave others to the browser", () => {
    for (const key of ["Enter", "Tab", "6", "0", "J", "ArrowDown", "constructor"]) {
      expect(meaningOf(key)).toBeUndefined();
    }
  });

  it("are those that the help lists", () => {
    const listed = keyTable().flatMap(([keys]) => keys.split(/ [/–] /));
    for (const key of listed) expect(meaningOf(key === "Esc" ? "Escape" : key), key).toBeDefined();
  });
});

describe("labels on the page", () => {
  it("of one trajectory leave those of another alone", () => {
    const state = pressed("5 l 1");
    expect([draft(state, 0).score, draft(state, 1).score, doneCount(state, page)]).toEqual([1, 0, 2]);
  });

  it("are saved as a file that the import takes, whatever was pressed", () => {
    const key = fc.constantFrom(..."j k l h g 1 2 3 4 5 y n u r s Escape x".split(" "));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), (keys) => {
        const state = pressed(keys.join(" "));
        const read = readLabelsFile(JSON.stringify(labelsFile(state, { page, at: AT })), "labels.json");
        expect(read.refused).toEqual([]);
        expect(read.labels).toHaveLength(doneCount(state, page));
        expect(read.labels.length + read.drafts).toBe(Object.keys(state.drafts).length);
      }),
    );
  });

  it("come back from a saved file, begun ones too", () => {
    const state = pressed("4 y r 5 l n l 2");
    const text = JSON.stringify(labelsFile(state, { page, at: AT }));
    const taken = takenFrom(text, { state: firstState("ann"), page });
    expect(taken).toMatchObject({ taken: 3, foreign: 0, state: { annotator: "ann", drafts: state.drafts } });
  });

  it("from a file do not take the place of newer ones here", () => {
    const old = JSON.stringify(labelsFile(pressed("1"), { page, at: AT }));
    const action: Action = { type: "rate", score: 1 };
    const newer = reduce(firstState("ann"), action, { page, at: "2026-02-01T00:00:00.000Z" });
    const taken = takenFrom(old, { state: newer, page });
    expect(typeof taken === "string" ? taken : draft(taken.state).score).toBe(1);
  });

  it("of another person's file replace those of the page, under that person's name", () => {
    const text = JSON.stringify(labelsFile(pressed("2", firstState("bob")), { page, at: AT }));
    const taken = takenFrom(text, { state: pressed("5 l 5"), page });
    if (typeof taken === "string") throw new Error(taken);
    expect([taken.state.annotator, draft(taken.state, 0).score, draft(taken.state, 1).score]).toEqual([
      "bob",
      0.25,
      null,
    ]);
  });

  it("of other pages are counted and left out", () => {
    const other = makePage(["elsewhere"]);
    const state = reduce(firstState("ann"), { type: "rate", score: 1 }, { page: other, at: AT });
    const text = JSON.stringify(labelsFile(state, { page: other, at: AT }));
    expect(takenFrom(text, { state: firstState("ann"), page })).toMatchObject({ taken: 0, foreign: 1 });
  });

  it("are not taken from files that hold none; the reason is said", () => {
    const from = (text: string) => takenFrom(text, { state: firstState("ann"), page });
    for (const text of ["", "{", "null", "[]", '{"schema":"gymline.score.v1"}']) {
      expect(from(text), text).toMatch(/choose one that this page saved/);
    }
    const odd = {
      schema: "gymline.labels.v1",
      annotator: "ann",
      labels: [null, 3, { steps: 4 }],
      drafts: {},
    };
    expect(from(JSON.stringify(odd))).toMatchObject({ taken: 0, foreign: 3 });
    const wrong = {
      trajectory_id: pageItem("one").id,
      score: 7,
      rubrics: [2],
      steps: [null],
      labelled_at: 4,
    };
    expect(from(JSON.stringify({ ...odd, labels: [wrong] }))).toMatchObject({ taken: 1 });
  });

  it("carry a name that may stand in a key", () => {
    expect(["Ann Lee", " zoë.K ", "--x", "a/../b", "…"].map(annotatorOf)).toEqual([
      "ann-lee",
      "zo-.k",
      "x",
      "a-..-b",
      undefined,
    ]);
  });
});
