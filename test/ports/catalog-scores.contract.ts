import { describe, expect, it } from "vitest";
import { idOf, makeNew, makeObject, makeScore } from "../factories/catalog-rows.ts";
import type { StartCatalog } from "./catalog.contract.ts";

/** Scores in a catalog, and the counts that go with them. Each test gets an empty one. */
export function scoreContract(name: string, start: StartCatalog): void {
  describe(`${name} as a catalog`, () => {
    describe("scores", () => {
      it("keeps the last score given", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        await catalog.setScore(idOf("a"), makeScore({ reward: 0.1 }));
        const score = { scorer: "s2", reward: null, process: 0.2, outcome: 1, efficiency: 0.4 };
        await catalog.setScore(idOf("a"), score);
        expect(await catalog.entry(idOf("a"))).toMatchObject(score);
      });

      it("keeps every number as it is", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a", { row: { outcomeScore: 1e-300 } }));
        const score = makeScore({ reward: 5e-324, process: 0.1 + 0.2, outcome: 1 / 3, efficiency: -0.5 });
        await catalog.setScore(idOf("a"), score);
        expect(await catalog.entry(idOf("a"))).toMatchObject({ ...score, outcomeScore: 1e-300 });
      });

      it("tells a first score from another, and counts it once", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        expect(await catalog.scoredCount()).toBe(0);
        expect(await catalog.setScore(idOf("a"), makeScore())).toBe("first");
        expect(await catalog.setScore(idOf("a"), makeScore())).toBe("again");
        expect(await catalog.setScore(idOf("a"), makeScore({ scorer: "s2", reward: null }))).toBe("again");
        expect(await catalog.scoredCount()).toBe(1);
        expect(await catalog.scoredCount("team")).toBe(1);
        expect(await catalog.scoredCount("other")).toBe(0);
      });

      it("takes a first score along with a new trajectory, and with no other", async () => {
        const catalog = await start(0);
        const score = makeScore({ reward: 0.5 });
        expect(await catalog.add(makeNew("a"), { score })).toMatchObject({ kind: "new", scored: true });
        expect(await catalog.entry(idOf("a"))).toMatchObject(score);
        expect(await catalog.scoredCount()).toBe(1);
        expect(await catalog.scoredCount("team")).toBe(1);
        expect(await catalog.unscored({ before: 1, limit: 9 })).toEqual([]);
        expect(await catalog.setScore(idOf("a"), score)).toBe("again");
        await catalog.add(makeNew("b"));
        const place = { key: "team/other.json" };
        expect(await catalog.add(makeNew("b", { place }), { score })).toEqual({ kind: "duplicate" });
        expect(await catalog.add(makeNew("b", { row: { revision: "rev2" } }), { score })).toEqual({
          kind: "revised",
        });
        expect(await catalog.entry(idOf("b"))).toMatchObject({ scorer: null });
        expect(await catalog.scoredCount()).toBe(1);
      });

      it("leaves a trajectory alone whose document has another revision by now", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        await catalog.add(makeNew("a", { row: { revision: "rev2" } }));
        expect(await catalog.setScore(idOf("a"), makeScore(), { revision: "rev1" })).toBe("stale");
        expect(await catalog.entry(idOf("a"))).toMatchObject({ scorer: null, reward: null });
        expect(await catalog.scoredCount()).toBe(0);
        expect(await catalog.setScore(idOf("a"), makeScore(), { revision: "rev2" })).toBe("first");
        expect(await catalog.scoredCount()).toBe(1);
      });

      it("keeps the score of a trajectory that is revised, and does not count its next one", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        await catalog.setScore(idOf("a"), makeScore({ reward: 0.25 }));
        await catalog.add(makeNew("a", { row: { revision: "rev2" } }));
        expect(await catalog.entry(idOf("a"))).toMatchObject({ revision: "rev2", reward: 0.25 });
        expect(await catalog.setScore(idOf("a"), makeScore(), { revision: "rev2" })).toBe("again");
        expect(await catalog.scoredCount()).toBe(1);
      });

      it("says that there is nothing to score, or nothing any more", async () => {
        const catalog = await start(0);
        expect(await catalog.setScore(idOf("a"), makeScore())).toBe("absent");
        await catalog.add(makeNew("a"));
        await catalog.forget(idOf("a"));
        expect(await catalog.setScore(idOf("a"), makeScore())).toBe("absent");
        expect(await catalog.entry(idOf("a"))).toBeUndefined();
        expect(await catalog.scoredCount()).toBe(0);
      });

      it("counts a trajectory in each project that it was dropped in, before its score or after", async () => {
        const catalog = await start(0);
        const inProject = (project: string, index = 0) =>
          makeNew("a", { place: { key: `${project}/x`, project, index } });
        await catalog.add(inProject("one"));
        await catalog.add(inProject("one", 1));
        await catalog.add(inProject("two"));
        await catalog.setScore(idOf("a"), makeScore());
        for (let round = 0; round < 2; round += 1) {
          await catalog.add(inProject("two", 1));
          await catalog.add(inProject("three"));
        }
        const revised = inProject("four");
        await catalog.add({ ...revised, row: { ...revised.row, revision: "rev2" } });
        for (const project of ["one", "two", "three", "four"]) {
          expect(await catalog.scoredCount(project)).toBe(1);
        }
        expect(await catalog.scoredCount()).toBe(1);
      });

      it("never counts back, whatever goes", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        await catalog.setScore(idOf("a"), makeScore());
        await catalog.finishObject(makeObject("team/a.json", { fingerprint: "g2" }));
        expect(await catalog.scoredCount("team")).toBe(1);
        await catalog.forget(idOf("a"));
        expect(await catalog.scoredCount("team")).toBe(1);
        expect(await catalog.scoredCount()).toBe(1);
      });

      it("counts any number of projects of one trajectory", async () => {
        const catalog = await start(0);
        const projects = Array.from({ length: 130 }, (_, index) => `project-${index}`);
        for (const project of projects) {
          await catalog.add(makeNew("a", { place: { key: `${project}/x`, project } }));
        }
        expect(await catalog.setScore(idOf("a"), makeScore())).toBe("first");
        for (const project of projects) expect(await catalog.scoredCount(project)).toBe(1);
        expect(await catalog.scoredCount()).toBe(1);
      });
    });

    describe("trajectories that wait for their score", () => {
      it("are listed from the oldest on, by id where they are as old, up to a moment and a number", async () => {
        let now = 0;
        const catalog = await start({ now: () => now });
        for (const [time, name] of [
          [1000, "c"],
          [5, "b"],
          [5, "a"],
          [2000, "late"],
          [7, "scored"],
        ] as const) {
          now = time;
          await catalog.add(makeNew(name));
        }
        await catalog.setScore(idOf("scored"), makeScore({ reward: null }));
        const oldest = [idOf("a"), idOf("b")].sort();
        const upTo = (before: number, limit = 10) => catalog.unscored({ before, limit });
        expect(await upTo(2000)).toEqual([...oldest, idOf("c")]);
        expect(await upTo(2001)).toEqual([...oldest, idOf("c"), idOf("late")]);
        expect(await upTo(2001, 2)).toEqual(oldest);
        expect(await upTo(5)).toEqual([]);
        expect(await upTo(5.5)).toEqual(oldest);
        await catalog.setScore(idOf("a"), makeScore());
        await catalog.forget(idOf("c"));
        expect(await upTo(2000)).toEqual([idOf("b")]);
      });
    });
  });
}
