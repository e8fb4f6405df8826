import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idOf, makeNew, makeObject, makeSession } from "../factories/catalog-rows.ts";
import { type StartCatalog, selected } from "./catalog.contract.ts";

/** Sessions of a catalog, and forgetting, which follows them. Each test gets an empty one. */
export function sessionContract(name: string, start: StartCatalog): void {
  describe(`${name} as a catalog`, () => {
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

      it("supersedes the log that a growing file held before, at the same place", async () => {
        const catalog = await start(0);
        const place = { key: "team/session.jsonl" };
        for (const [log, before] of [
          ["a", undefined],
          ["ab", "a"],
          ["abc", "ab"],
        ] as const) {
          const session = makeSession("s", log);
          const added = await catalog.add(makeNew(log, { place, session, generation: log }));
          await catalog.finishObject(makeObject(place.key, { fingerprint: log }));
          expect(added).toEqual({ kind: "new", supersedes: before === undefined ? [] : [idOf(before)] });
          expect(await catalog.idsFrom(place.key)).toEqual([idOf(log)]);
          expect(await selected(catalog, { project: "team" })).toEqual([idOf(log)]);
        }
        expect(await selected(catalog, { includeSuperseded: true })).toHaveLength(3);
      });

      it("compares logs of thousands of actions, in whatever order they come", async () => {
        const letters = "ab".repeat(5000);
        const logs = { short: 400, middle: 4096, long: 5000, longest: 9000 };
        const parted = `${letters.slice(0, 4999)}x`;
        for (const order of [Object.keys(logs), Object.keys(logs).reverse()]) {
          const catalog = await start(0);
          for (const name of order as (keyof typeof logs)[]) {
            await catalog.add(makeNew(name, { session: makeSession("s", letters.slice(0, logs[name])) }));
          }
          expect(await catalog.add(makeNew("parted", { session: makeSession("s", parted) }))).toEqual({
            kind: "new",
            supersedes: [],
          });
          expect(await selected(catalog)).toEqual([idOf("longest"), idOf("parted")].sort());
          await catalog.forget(idOf("longest"));
          expect(await selected(catalog, { includeSuperseded: true })).toEqual([idOf("parted")]);
        }
      });

      it("keeps comparing with a log that was revised, by what it says now", async () => {
        const catalog = await start(0);
        await catalog.add(makeNew("a", { session: makeSession("s", "abc") }));
        const revised = { row: { revision: "rev2" }, session: makeSession("s", "xbc") };
        expect(await catalog.add(makeNew("a", revised))).toEqual({ kind: "revised" });
        expect(await catalog.add(makeNew("b", { session: makeSession("s", "abcd") }))).toEqual({
          kind: "new",
          supersedes: [],
        });
        expect(await catalog.add(makeNew("c", { session: makeSession("s", "xbcd") }))).toEqual({
          kind: "new",
          supersedes: [idOf("a")],
        });
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
