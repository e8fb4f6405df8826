import { describe, expect, it } from "vitest";
import type { CatalogEntry } from "../../shared/contracts/catalog-row.ts";
import type { Catalog, Selection } from "../../shared/ports/catalog.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import {
  idOf,
  makeNew,
  makeObject,
  makePlace,
  makeRow,
  makeScore,
  makeSession,
} from "../factories/catalog-rows.ts";

/** Opens a fresh catalog whose clock stands at `now` milliseconds, or goes as the test says. */
export type StartCatalog = (now: number | Clock) => Promise<Catalog>;

export function clockOf(now: number | Clock): Clock {
  return typeof now === "number" ? { now: () => now } : now;
}

export async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Ids of what a selection selects, in its order. */
export async function selected(catalog: Catalog, selection: Selection = {}): Promise<readonly string[]> {
  return (await all<CatalogEntry>(catalog.select(selection))).map(({ id }) => id);
}

/** What every catalog must do. Each test gets an empty one. */
export function catalogContract(name: string, start: StartCatalog): void {
  describe(`${name} as a catalog`, () => {
    describe("objects", () => {
      it("remembers what was read of a dropped object, the last reading only", async () => {
        const catalog = await start(0);
        expect(await catalog.object("team/a")).toBeUndefined();
        await catalog.finishObject(makeObject("team/b"));
        await catalog.finishObject(makeObject("team/a", { rejected: 3 }));
        await catalog.finishObject(makeObject("team/a", { fingerprint: "g2", records: 7 }));
        expect(await catalog.object("team/a")).toEqual(
          makeObject("team/a", { fingerprint: "g2", records: 7 }),
        );
        expect((await all(catalog.objects())).map(({ key }) => key)).toEqual(["team/a", "team/b"]);
      });

      it("forgets the places an object had before and has no longer, and no others", async () => {
        const catalog = await start(0);
        const at = (index: number): { readonly key: string; readonly index: number } => ({
          key: "team/x",
          index,
        });
        await catalog.add(makeNew("one", { place: at(0) }));
        await catalog.add(makeNew("two", { place: at(1) }));
        await catalog.add(makeNew("two", { place: { key: "team/y" } }));
        await catalog.finishObject(makeObject("team/x"));
        await catalog.add(makeNew("one", { place: at(0), generation: "g2" }));
        expect(await catalog.idsFrom("team/x")).toEqual([idOf("one"), idOf("two")]);
        await catalog.finishObject(makeObject("team/x", { fingerprint: "g2" }));
        expect(await catalog.idsFrom("team/x")).toEqual([idOf("one")]);
        expect(await catalog.places(idOf("two"))).toEqual([makePlace({ key: "team/y" })]);
        expect(await catalog.entry(idOf("two"))).toBeDefined();
      });
    });

    describe("trajectories", () => {
      it("gives a place to the trajectory that was found there last", async () => {
        const catalog = await start(0);
        const place = { key: "one/x", project: "one" };
        await catalog.add(makeNew("old", { place }));
        await catalog.add(makeNew("old", { place: { key: "two/x", project: "two" } }));
        await catalog.add(makeNew("fresh", { place, generation: "g2" }));
        expect(await catalog.idsFrom("one/x")).toEqual([idOf("fresh")]);
        expect(await catalog.places(idOf("old"))).toEqual([makePlace({ key: "two/x", project: "two" })]);
        expect(await selected(catalog, { project: "one" })).toEqual([idOf("fresh")]);
        expect(await selected(catalog, { project: "two" })).toEqual([idOf("old")]);
      });

      it("shows a trajectory to a project as long as it has a place there", async () => {
        const catalog = await start(0);
        for (const index of [0, 1]) {
          await catalog.add(makeNew("a", { place: { key: "one/x", project: "one", index } }));
        }
        await catalog.add(makeNew("a", { place: { key: "one/x", project: "one" }, generation: "g2" }));
        await catalog.finishObject(makeObject("one/x", { fingerprint: "g2" }));
        expect(await selected(catalog, { project: "one" })).toEqual([idOf("a")]);
        await catalog.finishObject(makeObject("one/x", { fingerprint: "g3" }));
        expect(await selected(catalog, { project: "one" })).toEqual([]);
        expect(await selected(catalog)).toEqual([idOf("a")]);
      });

      it("takes any name of a project", async () => {
        const catalog = await start(0);
        const project = "__proto__";
        await catalog.add(makeNew("a", { place: { key: `${project}/x`, project } }));
        await catalog.add(makeNew("a", { place: { key: `${project}/y`, project } }));
        await catalog.setScore(idOf("a"), makeScore());
        expect(await selected(catalog, { project })).toEqual([idOf("a")]);
        expect(await catalog.scoredCount(project)).toBe(1);
      });

      it("takes keys, entries and names of any length and characters", async () => {
        const catalog = await start(0);
        const long = "é/#".repeat(900);
        const place = { key: `p/${long}`, project: "p", entry: `${long}!x`, jsonPath: "$" };
        await catalog.add(makeNew("a", { place, row: { taskKey: long, taskId: long } }));
        await catalog.add(makeNew("b", { place: { ...place, entry: "" } }));
        await catalog.finishObject(makeObject(place.key));
        expect(await catalog.object(place.key)).toEqual(makeObject(place.key));
        expect(await all(catalog.objects())).toEqual([makeObject(place.key)]);
        expect(await catalog.places(idOf("a"))).toEqual([makePlace(place)]);
        expect(await catalog.idsFrom(place.key)).toEqual([idOf("b"), idOf("a")]);
        expect(await selected(catalog, { task: long })).toEqual([idOf("a")]);
        await catalog.forget(idOf("a"));
        expect(await catalog.idsFrom(place.key)).toEqual([idOf("b")]);
      });

      it("keeps every fact of a new one, unscored and never exported", async () => {
        const catalog = await start(1234);
        const row = { outcomeScore: 0.25, success: null, model: null, repo: "r", startedAt: "2026-01-01" };
        const place = { entry: "in.zip!x", index: 4, line: 9, jsonPath: "$[4]", ordinal: 2 };
        const added = await catalog.add(makeNew("a", { row, place }));
        expect(added).toEqual({ kind: "new", supersedes: [] });
        expect(await catalog.entry(idOf("a"))).toEqual({
          ...makeRow("a", row),
          scorer: null,
          reward: null,
          process: null,
          outcome: null,
          efficiency: null,
          feedback: null,
          exportCount: 0,
          createdAt: 1234,
          supersededBy: null,
        });
        expect(await catalog.places(idOf("a"))).toEqual([makePlace({ key: "team/a.json", ...place })]);
        expect(await catalog.entry(idOf("b"))).toBeUndefined();
      });

      it("adds a known one as a duplicate, with its new place and nothing else", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        await catalog.setScore(idOf("a"), makeScore());
        const before = await catalog.entry(idOf("a"));
        const again = makeNew("a", { place: { key: "other/copy.json", project: "other" } });
        expect(await catalog.add(again)).toEqual({ kind: "duplicate" });
        expect(await catalog.add(again)).toEqual({ kind: "duplicate" });
        expect(await catalog.entry(idOf("a"))).toEqual(before);
        expect((await catalog.places(idOf("a"))).map(({ key }) => key)).toEqual([
          "other/copy.json",
          "team/a.json",
        ]);
        expect(await catalog.revisions(idOf("a"))).toEqual(["rev1"]);
      });

      it("takes another revision over and remembers both, until they are pruned", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a", { blobs: ["b1"] }));
        await catalog.registerDataset({
          name: "sft",
          version: "1",
          format: "sft-messages",
          rows: [{ id: idOf("a"), split: "train" }],
        });
        const revised = makeNew("a", { row: { revision: "rev2", redactions: 5 }, blobs: ["b2"] });
        expect(await catalog.add(revised)).toEqual({ kind: "revised" });
        expect(await catalog.add(revised)).toEqual({ kind: "duplicate" });
        expect(await catalog.entry(idOf("a"))).toMatchObject({
          revision: "rev2",
          redactions: 5,
          exportCount: 1,
        });
        expect(await catalog.revisions(idOf("a"))).toEqual(["rev1", "rev2"]);
        await catalog.pruneRevisions(idOf("a"));
        expect(await catalog.revisions(idOf("a"))).toEqual(["rev2"]);
      });

      it("says what an id is to it", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a", { session: makeSession("s", "xy") }));
        const known = async (id: string, revision = "rev1", key?: string) => {
          const session = key === undefined ? {} : { session: makeSession(key, "xyz") };
          return (await catalog.see(makeNew(id, { row: { revision }, ...session }))).known;
        };
        expect(await known("a")).toBe("known");
        expect(await known("a", "rev2")).toBe("other-revision");
        expect(await known("b", "rev1", "s")).toBe("absent");
        await catalog.add(makeNew("sibling", { session: makeSession("s", "zz") }));
        await catalog.forget(idOf("a"));
        expect(await known("a")).toBe("forgotten");
        expect(await known("sibling", "rev1", "s")).toBe("known");
        expect(await known("sibling", "rev2", "s")).toBe("other-revision");
        expect(await known("b", "rev1", "s")).toBe("forgotten");
        expect(await known("b", "rev1", "t")).toBe("absent");
        expect(await known("b")).toBe("absent");
        expect(await catalog.forgotten(idOf("a"))).toBe(true);
        expect(await catalog.forgotten(idOf("b"))).toBe(false);
      });

      it("finds ids by their first digits", async () => {
        const catalog = await start(0);
        const ids = ["abcd0", "abcd1", "abcdf", "abce0"].map((start) => start.padEnd(64, "0"));
        for (const [index, id] of ids.entries()) await catalog.add(makeNew(`${index}`, { row: { id } }));
        expect(await catalog.idsWithPrefix("abcd", 10)).toEqual(ids.slice(0, 3));
        expect(await catalog.idsWithPrefix("abcd", 2)).toEqual(ids.slice(0, 2));
        expect(await catalog.idsWithPrefix(ids[3] ?? "", 2)).toEqual([ids[3]]);
        expect(await catalog.idsWithPrefix("0000", 2)).toEqual([]);
      });
    });
  });
}
