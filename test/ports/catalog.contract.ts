import * as fc from "fast-check";
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
        const known = (id: string, revision = "rev1", session?: string) =>
          catalog.known(idOf(id), { revision, ...(session === undefined ? {} : { session }) });
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

    describe("sessions", () => {
      const short = makeNew("short", { session: makeSession("s", "abc") });
      const long = makeNew("long", { session: makeSession("s", "abcde") });

      it("lets a longer log of a session supersede a shorter one that came before", async () => {
        const catalog = await start(0);
        expect(await catalog.add(short)).toEqual({ kind: "new", supersedes: [] });
        expect(await catalog.add(long)).toEqual({ kind: "new", supersedes: [idOf("short")] });
        expect(await selected(catalog)).toEqual([idOf("long")]);
        expect(await catalog.entry(idOf("short"))).toMatchObject({ supersededBy: idOf("long") });
      });

      it("lets it supersede a shorter one that comes later just as well", async () => {
        const catalog = await start(0);
        expect(await catalog.add(long)).toEqual({ kind: "new", supersedes: [] });
        expect(await catalog.add(short)).toEqual({ kind: "superseded", by: idOf("long") });
        expect(await catalog.add(short)).toEqual({ kind: "duplicate" });
        expect(await selected(catalog)).toEqual([idOf("long")]);
      });

      it.each([
        ["begins otherwise", makeSession("s", "xbcdefg")],
        ["parts on the way", makeSession("s", "abxdefg")],
        ["is another session", makeSession("t", "abcdefg")],
        ["is as long", makeSession("s", "abd")],
        ["is empty", makeSession("s", "")],
      ])("leaves a log alone that %s", async (_, session) => {
        for (const order of [0, 1]) {
          const catalog = await start(0);
          const pair = [short, makeNew("other", { session })];
          for (const item of order === 0 ? pair : pair.toReversed()) {
            expect(await catalog.add(item)).toEqual({ kind: "new", supersedes: [] });
          }
          expect(await selected(catalog)).toHaveLength(2);
        }
      });

      it("keeps the longest log of each branch, in whatever order they come", async () => {
        const actions = fc.uniqueArray(fc.stringMatching(/^[ab]{1,4}$/), { minLength: 1, maxLength: 8 });
        await fc.assert(
          fc.asyncProperty(actions, async (logs) => {
            const catalog = await start(0);
            for (const log of logs) await catalog.add(makeNew(log, { session: makeSession("s", log) }));
            const longest = logs.filter(
              (log) => !logs.some((other) => other !== log && other.startsWith(log)),
            );
            expect(await selected(catalog)).toEqual(longest.map(idOf).sort());
            for (const log of logs.filter((other) => !longest.includes(other))) {
              let by = await catalog.entry(idOf(log));
              while (typeof by?.supersededBy === "string") by = await catalog.entry(by.supersededBy);
              expect(longest.map(idOf)).toContain(by?.id);
            }
          }),
          { numRuns: 50 },
        );
      });
    });

    describe("forgetting", () => {
      it("takes the shorter logs of the session along, and leaves no trace but tombstones", async () => {
        const order = fc.shuffledSubarray(["a", "ab", "abc"], { minLength: 3, maxLength: 3 });
        await fc.assert(
          fc.asyncProperty(order, async (logs) => {
            const catalog = await start(0);
            for (const log of logs) await catalog.add(makeNew(log, { session: makeSession("s", log) }));
            await catalog.add(makeNew("bystander", { session: makeSession("s", "b") }));
            const { ids } = await catalog.forget(idOf("abc"));
            expect([...ids].sort()).toEqual(["a", "ab", "abc"].map(idOf).sort());
            for (const log of logs) {
              expect(await catalog.entry(idOf(log))).toBeUndefined();
              expect(await catalog.places(idOf(log))).toEqual([]);
              expect(await catalog.revisions(idOf(log))).toEqual([]);
              expect(await catalog.forgotten(idOf(log))).toBe(true);
            }
            expect(await selected(catalog, { includeSuperseded: true })).toEqual([idOf("bystander")]);
          }),
          { numRuns: 6 },
        );
      });

      it("gives the same answer again, so that a killed clean-up can be repeated", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("short", { session: makeSession("s", "a"), blobs: ["b1"] }));
        await catalog.add(makeNew("long", { session: makeSession("s", "ab"), blobs: ["b1", "b2"] }));
        const first = await catalog.forget(idOf("long"));
        const second = await catalog.forget(idOf("long"));
        const sorted = (result: typeof first) => ({
          ids: [...result.ids].sort(),
          orphanBlobs: [...result.orphanBlobs].sort(),
        });
        expect(sorted(first)).toEqual({
          ids: [idOf("short"), idOf("long")].sort(),
          orphanBlobs: ["b1", "b2"],
        });
        expect(sorted(second)).toEqual(sorted(first));
      });

      it("names only the attachments that nothing else uses", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a", { blobs: ["own", "shared"] }));
        await catalog.add(makeNew("b", { blobs: ["shared"] }));
        expect((await catalog.forget(idOf("a"))).orphanBlobs).toEqual(["own"]);
        await catalog.add(makeNew("c", { blobs: ["own"] }));
        expect((await catalog.forget(idOf("a"))).orphanBlobs).toEqual([]);
        expect((await catalog.forget(idOf("b"))).orphanBlobs).toEqual(["shared"]);
      });

      it("keeps which datasets held it", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a"));
        const rows = [{ id: idOf("a"), split: "test" }];
        await catalog.registerDataset({ name: "sft", version: "1", format: "sft-messages", rows });
        await catalog.forget(idOf("a"));
        expect(await catalog.datasetsOf(idOf("a"))).toEqual([{ name: "sft", version: "1", split: "test" }]);
      });
    });
  });
}
