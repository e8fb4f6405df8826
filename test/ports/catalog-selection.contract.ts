import { describe, expect, it } from "vitest";
import type { Catalog, Selection } from "../../shared/ports/catalog.ts";
import { idOf, makeNew, type makeRow, makeScore, makeSession } from "../factories/catalog-rows.ts";
import { type StartCatalog, selected } from "./catalog.contract.ts";

/** Selection from a catalog. Each test gets an empty one. */
export function selectionContract(name: string, start: StartCatalog): void {
  describe(`${name} as a catalog`, () => {
    describe("selection", () => {
      async function filled(): Promise<Catalog> {
        const catalog = await start(0);
        const add = async (name: string, row: Parameters<typeof makeRow>[1], reward: number | null) => {
          await catalog.add(makeNew(name, { row: row ?? {} }));
          await catalog.setScore(idOf(name), makeScore({ reward }));
        };
        await add("a", { agent: "x", success: true }, 0.5);
        await add("b", { model: "m2", success: false, taskId: null, taskKey: "first-message:1" }, 0.9);
        await add("c", { format: "crew", success: null, model: null }, null);
        await add("d", { domain: "web", success: true }, 0.5);
        return catalog;
      }

      it.each<readonly [string, Selection, string]>([
        ["nothing in particular", {}, "bdac"],
        ["an agent", { agent: "x" }, "a"],
        ["a model", { model: "m2" }, "b"],
        ["a format", { format: "crew" }, "c"],
        ["a domain", { domain: "web" }, "d"],
        ["a task by its id", { task: "task" }, "dac"],
        ["a task by its key", { task: "first-message:1" }, "b"],
        ["a least reward, which no unscored one has", { minReward: 0 }, "bda"],
        ["a least reward that is just reached", { minReward: 0.5 }, "bda"],
        ["a verdict", { success: ["true"] }, "da"],
        ["several verdicts", { success: ["false", "unknown"] }, "bc"],
        ["no verdict at all", { success: [] }, ""],
        ["several things", { success: ["true"], domain: "web" }, "d"],
        ["the best few", { limit: 2 }, "bd"],
        ["a text with quotes", { agent: "x' or 1=1 --" }, ""],
      ])("by %s", async (_, selection, names) => {
        // Of equal rewards, the lesser id comes first: that of "d".
        expect(await selected(await filled(), selection)).toEqual([...names].map(idOf));
      });

      it("shows a trajectory that was dropped in two projects to both", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a", { place: { project: "one" } }));
        await catalog.add(makeNew("a", { place: { key: "two/a.json", project: "two" } }));
        await catalog.add(makeNew("b", { place: { project: "one" } }));
        expect(await selected(catalog, { project: "one" })).toEqual([idOf("a"), idOf("b")].sort());
        expect(await selected(catalog, { project: "two" })).toEqual([idOf("a")]);
        expect(await selected(catalog, { project: "three" })).toEqual([]);
      });

      it("leaves superseded ones out unless they are asked for", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a", { session: makeSession("s", "x") }));
        await catalog.add(makeNew("b", { session: makeSession("s", "xy") }));
        expect(await selected(catalog)).toEqual([idOf("b")]);
        expect(await selected(catalog, { includeSuperseded: true })).toHaveLength(2);
      });

      it("may be walked while the catalog changes", async () => {
        const catalog = await start(0);
        for (let index = 0; index < 600; index += 1) await catalog.add(makeNew(`${index}`));
        let seen = 0;
        for await (const { id } of catalog.select({})) {
          seen += 1;
          await catalog.setScore(id, makeScore({ reward: null }));
        }
        expect(seen).toBe(600);
      });
    });
  });
}
