import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { meanFeedback } from "../../shared/contracts/feedback.ts";
import { idOf, makeNew, makeScore } from "../factories/catalog-rows.ts";
import { all, type StartCatalog } from "./catalog.contract.ts";

/** What sources say of trajectories. Each test gets an empty catalog. */
export function feedbackContract(name: string, start: StartCatalog): void {
  describe(`${name} as a catalog`, () => {
    describe("feedback", () => {
      it("is the mean over its sources, each of which has one word", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        const id = idOf("a");
        const say = (source: string, score: number | null) => catalog.setFeedback(id, { source, score });
        expect(await catalog.feedbackOf(id)).toEqual([]);
        expect(await say("votes:bo", 0.2)).toBe("set");
        expect(await say("label:ann", 1)).toBe("set");
        expect(await say("label:ann", 1)).toBe("unchanged");
        expect(await catalog.entry(id)).toMatchObject({ feedback: 0.6 });
        expect(await say("label:ann", 0.4)).toBe("set");
        expect(await say("dataset sft/1, é: 日本", 0)).toBe("set");
        expect(await catalog.feedbackOf(id)).toEqual([
          { source: "dataset sft/1, é: 日本", score: 0 },
          { source: "label:ann", score: 0.4 },
          { source: "votes:bo", score: 0.2 },
        ]);
        expect((await catalog.entry(id))?.feedback).toBeCloseTo(0.2, 12);
        expect((await all(catalog.select({}))).map(({ feedback }) => feedback)).toEqual([
          (await catalog.entry(id))?.feedback,
        ]);
      });

      it("may be taken back, and is none where nobody says anything", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        const id = idOf("a");
        await catalog.setFeedback(id, { source: "x", score: 0.25 });
        expect(await catalog.setFeedback(id, { source: "y", score: null })).toBe("unchanged");
        expect(await catalog.setFeedback(id, { source: "x", score: null })).toBe("set");
        expect(await catalog.entry(id)).toMatchObject({ feedback: null });
        expect(await catalog.feedbackOf(id)).toEqual([]);
      });

      it("stays with a trajectory that is scored, exported and converted anew, and goes when it is forgotten", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        const id = idOf("a");
        await catalog.setFeedback(id, { source: "x", score: 0.3 });
        await catalog.setScore(id, makeScore());
        const rows = [{ id, split: "train" }];
        await catalog.registerDataset({ name: "sft", version: "1", format: "sft-messages", rows });
        await catalog.add(makeNew("a", { row: { revision: "rev2" } }));
        expect(await catalog.entry(id)).toMatchObject({ feedback: 0.3, exportCount: 1, revision: "rev2" });
        await catalog.forget(id);
        expect(await catalog.setFeedback(id, { source: "x", score: 0.3 })).toBe("absent");
        expect(await catalog.feedbackOf(id)).toEqual([]);
        expect(await catalog.setFeedback(idOf("never was"), { source: "x", score: 1 })).toBe("absent");
      });

      it("loses nothing of what several sources say at once", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        const given = Array.from({ length: 12 }, (_, index) => ({ source: `s${index}`, score: index / 12 }));
        await Promise.all(given.map((feedback) => catalog.setFeedback(idOf("a"), feedback)));
        expect(await catalog.feedbackOf(idOf("a"))).toHaveLength(12);
        expect((await catalog.entry(idOf("a")))?.feedback).toBe(meanFeedback(given));
      });

      it("does not hang on the order in which the sources speak", async () => {
        const score = fc.double({ min: 0, max: 1, noNaN: true });
        const given = fc.uniqueArray(fc.record({ source: fc.stringMatching(/^[a-z]{1,6}$/), score }), {
          selector: ({ source }) => source,
          minLength: 1,
          maxLength: 5,
        });
        const catalog = await start(0);
        let next = 0;
        await fc.assert(
          fc.asyncProperty(given, async (list) => {
            const names = [`${next++}`, `${next++}`];
            for (const [index, name] of names.entries()) {
              await catalog.add(makeNew(name));
              for (const feedback of index === 0 ? list : list.toReversed()) {
                await catalog.setFeedback(idOf(name), feedback);
              }
            }
            const [first, second] = await Promise.all(names.map((name) => catalog.entry(idOf(name))));
            expect(first?.feedback).toBe(second?.feedback);
            expect(first?.feedback).toBe(meanFeedback(list));
          }),
          { numRuns: 8 },
        );
      });
    });
  });
}
