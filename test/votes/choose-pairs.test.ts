import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Candidate,
  chooseUncertainPairs,
  pairIdOf,
  pairRecord,
} from "../../shared/votes/choose-pairs.ts";
import { idOf } from "../factories/catalog-rows.ts";

function attempt(name: string, reward: number | null, more: Partial<Candidate> = {}): Candidate {
  return { id: idOf(name), contentId: idOf(`content of ${name}`), taskKey: "task", reward, ...more };
}

const request = { band: 0.15, perTask: 3, seed: 1 };
const names = new Map(["a", "b", "c", "d", "e"].map((name) => [idOf(name), name]));
const namesOf = (pairs: ReturnType<typeof chooseUncertainPairs>) =>
  pairs.map(({ record }) =>
    [record.left_id, record.right_id]
      .map((id) => names.get(id))
      .sort()
      .join(""),
  );

describe("pairs that the reward is least sure of", () => {
  it("are the closest of each task, the closest first, within the band", () => {
    const attempts = [
      attempt("a", 0.1),
      attempt("b", 0.5),
      attempt("c", 0.52),
      attempt("d", 0.6),
      attempt("e", 0.9),
    ];
    expect(namesOf(chooseUncertainPairs(attempts, request))).toEqual(["bc", "cd", "bd"]);
    expect(namesOf(chooseUncertainPairs(attempts, { ...request, perTask: 1 }))).toEqual(["bc"]);
    expect(namesOf(chooseUncertainPairs(attempts, { ...request, band: 0.02 }))).toEqual(["bc"]);
    expect(namesOf(chooseUncertainPairs(attempts, { ...request, limit: 2 }))).toEqual(["bc", "cd"]);
  });

  it("never join different tasks, attempts that did the same, or one without a reward", () => {
    const same = { contentId: idOf("same") };
    const attempts = [
      attempt("a", 0.5),
      attempt("b", 0.5, { taskKey: "other" }),
      attempt("c", null),
      attempt("d", 0.55, same),
      attempt("e", 0.55, same),
    ];
    const pairs = namesOf(chooseUncertainPairs(attempts, request));
    expect(pairs).toHaveLength(1);
    expect(pairs[0]).toMatch(/^a[de]$/);
  });

  it("have one id whichever of the two comes first, and another for another task", () => {
    expect(pairIdOf("task", "a", "b")).toBe(pairIdOf("task", "b", "a"));
    expect(pairIdOf("task", "a", "b")).not.toBe(pairIdOf("other", "a", "b"));
  });

  it("have their sides drawn: about half each way, and by the seed alone", () => {
    const sides = (seed: number) =>
      Array.from({ length: 400 }, (_, index) => {
        const ids = [idOf(`x${index}`), idOf(`y${index}`)] as const;
        expect(pairRecord({ taskKey: "t", ids: [ids[1], ids[0]] }, seed)).toEqual(
          pairRecord({ taskKey: "t", ids }, seed),
        );
        return pairRecord({ taskKey: "t", ids }, seed).left_id === ids[0];
      });
    const left = sides(1).filter(Boolean).length;
    expect(left).toBeGreaterThan(150);
    expect(left).toBeLessThan(250);
    expect(sides(2)).not.toEqual(sides(1));
  });

  it("are those that looking at every pair would find", () => {
    const reward = fc.integer({ min: 0, max: 40 }).map((value) => value / 40);
    fc.assert(
      fc.property(fc.array(reward, { maxLength: 14 }), fc.integer({ min: 1, max: 5 }), (rewards, perTask) => {
        const attempts = rewards.map((value, index) => attempt(`n${index}`, value));
        const found = chooseUncertainPairs(attempts, { ...request, perTask }).map(
          ({ difference }) => difference,
        );
        const all = rewards
          .flatMap((one, index) => rewards.slice(index + 1).map((other) => Math.abs(one - other)))
          .filter((difference) => difference <= request.band + 1e-9)
          .sort((a, b) => a - b)
          .slice(0, perTask);
        expect(found).toHaveLength(all.length);
        for (const [index, difference] of found.entries())
          expect(difference).toBeCloseTo(all[index] ?? 0, 12);
      }),
    );
  });

  it("are the same in whatever order the attempts come", () => {
    const attempts = Array.from({ length: 12 }, (_, index) => attempt(`n${index}`, (index % 4) / 10));
    fc.assert(
      fc.property(fc.shuffledSubarray(attempts, { minLength: 12 }), (shuffled) => {
        expect(chooseUncertainPairs(shuffled, request)).toEqual(chooseUncertainPairs(attempts, request));
      }),
    );
  });
});
