import { describe, expect, it } from "vitest";
import type { DynamoCatalog } from "../../../shared/adapters/aws/dynamo-catalog.ts";
import { idOf, makeNew, makeObject, makeScore, makeSession } from "../../factories/catalog-rows.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { selected } from "../../ports/catalog.contract.ts";
import { makeDataset } from "../../ports/catalog-datasets.contract.ts";
import { type CatalogTable, freshTable } from "./catalog-table.ts";
import { KilledError } from "./interference.ts";

const engine = useEngine("ministack");

const numbers = (length: number) => Array.from({ length }, (_, index) => index);

/**
 * Runs `work` again and again on what `prepare` made, killed at its first call, its second and so on, each time
 * before the call takes effect and after it did, until it ends without being killed. Gives the number of calls.
 */
async function killedAtEachCall(test: {
  readonly prepare: () => Promise<CatalogTable>;
  readonly work: (catalog: DynamoCatalog, run: string) => Promise<unknown>;
  readonly check: (table: CatalogTable, run: string) => Promise<void>;
}): Promise<number> {
  for (let from = 1; ; from += 1) {
    for (const late of [false, true]) {
      const table = await test.prepare();
      const run = `killed at call ${from}, ${late ? "after" : "before"} it took effect`;
      const commands: string[] = [];
      const victim = table.catalog({ interference: { kind: "killed", from, late, commands } });
      const outcome = await test.work(victim, run).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome, run).toBeInstanceOf(KilledError);
      await test.work(table.catalog(), run);
      await test.check(table, run);
      if (commands.length < from) return commands.length;
    }
  }
}

describe("a DynamoCatalog whose process is killed at any call", () => {
  it("registers a dataset of 300 rows when it is repeated, and counts each row once", async () => {
    const table = await freshTable(engine);
    const names = numbers(300).map(String);
    for (const name of names.slice(1)) await table.catalog().add(makeNew(name));
    let registered = 0;
    const calls = await killedAtEachCall({
      prepare: async () => table,
      work: async (catalog, run) => catalog.registerDataset(makeDataset(run, names)),
      check: async (_, run) => {
        registered += 1;
        const catalog = table.catalog();
        expect(await catalog.hasDataset("sft", run)).toBe(true);
        const counts = new Map<number, number>();
        for await (const { exportCount } of catalog.select({})) {
          counts.set(exportCount, (counts.get(exportCount) ?? 0) + 1);
        }
        expect([...counts], run).toEqual([[registered, 299]]);
        // This one is not stored: its row is noted all the same.
        expect(await catalog.datasetsOf(idOf("0"))).toHaveLength(registered);
      },
    });
    // One more call looks whether the one that is not stored was forgotten.
    expect(calls).toBe(1 + 6 * 2 + 1 + 2);
  });

  it("shows nothing of a dataset that it did not complete", async () => {
    const table = await freshTable(engine);
    await table.catalog().add(makeNew("a"));
    const victim = table.catalog({ interference: { kind: "killed", from: 5, late: false, commands: [] } });
    await expect(victim.registerDataset(makeDataset("1", ["a"]))).rejects.toThrow(KilledError);
    expect((await table.keys()).some(({ sk }) => sk === "SET#sft#1")).toBe(true);
    expect(await table.catalog().hasDataset("sft", "1")).toBe(false);
    expect(await table.catalog().datasetsOf(idOf("a"))).toEqual([]);
  });

  it("leaves nothing of a forgotten trajectory when it is repeated", async () => {
    const calls = await killedAtEachCall({
      prepare: async () => {
        const table = await freshTable(engine);
        const catalog = table.catalog();
        for (const log of ["a", "abc", "ab"]) {
          const session = makeSession("s", log);
          await catalog.add(makeNew(log, { session, blobs: ["shared", `blob of ${log}`] }));
          const place = { key: `other/${log}`, project: "other" };
          await catalog.add(makeNew(log, { session, place }));
          await catalog.setScore(idOf(log), makeScore());
        }
        await catalog.add(makeNew("bystander", { session: makeSession("s", "b"), blobs: ["shared"] }));
        await catalog.registerDataset(makeDataset("1", ["abc", "a", "bystander"]));
        return table;
      },
      work: async (catalog) => {
        const { ids, orphanBlobs } = await catalog.forget(idOf("abc"));
        expect([...ids].sort()).toEqual(["a", "ab", "abc"].map(idOf).sort());
        expect(orphanBlobs).toEqual(["blob of a", "blob of ab", "blob of abc"]);
      },
      check: async (table, run) => {
        const catalog = table.catalog();
        expect(await selected(catalog, { includeSuperseded: true }), run).toEqual([idOf("bystander")]);
        expect(await catalog.scoredCount()).toBe(3);
        expect(await catalog.forgottenIn("sft", "1"), run).toEqual([idOf("a"), idOf("abc")].sort());
        const gone = new Set(["a", "ab", "abc"].map(idOf));
        for (const { pk, sk } of await table.keys()) {
          // That an object was begun is no trace of what it held.
          if (pk.startsWith("O#") && sk !== "STATE") expect(pk, run).toBe("O#team/bystander.json");
          if (sk.startsWith("E#")) expect(sk, run).toContain(idOf("bystander"));
          if (gone.has(pk.slice(2))) expect(sk, run).toMatch(/^(TOMB|GONE#.*|BLOB#.*|SET#sft#1)$/);
        }
      },
    });
    expect(calls).toBeGreaterThan(20);
  });

  it("stores a log with all that it supersedes when it is repeated, more than one transaction holds", async () => {
    const shorter = numbers(25).map((index) => `short ${index}`);
    const calls = await killedAtEachCall({
      prepare: async () => {
        const table = await freshTable(engine);
        const session = makeSession("s", "ab");
        for (const name of shorter) await table.catalog().add(makeNew(name, { session }));
        return table;
      },
      work: async (catalog) => catalog.add(makeNew("long", { session: makeSession("s", "abc") })),
      check: async (table, run) => {
        const catalog = table.catalog();
        expect(await selected(catalog), run).toEqual([idOf("long")]);
        expect((await catalog.forget(idOf("long"))).ids).toHaveLength(26);
      },
    });
    expect(calls).toBe(3 + 3);
  });

  it("drops the stale places of an object when it is repeated", async () => {
    await killedAtEachCall({
      prepare: async () => {
        const table = await freshTable(engine);
        const catalog = table.catalog();
        for (const index of numbers(40)) {
          const place = { key: "team/x", project: "team", index };
          await catalog.add(makeNew(`${index % 5}`, { place }));
        }
        await catalog.add(makeNew("0", { place: { key: "team/x" }, generation: "g2" }));
        await catalog.add(makeNew("1", { place: { key: "two/y", project: "two" } }));
        return table;
      },
      work: async (catalog) => catalog.finishObject(makeObject("team/x", { fingerprint: "g2" })),
      check: async (table, run) => {
        const catalog = table.catalog();
        expect(await catalog.idsFrom("team/x"), run).toEqual([idOf("0")]);
        expect(await selected(catalog, { project: "team" }), run).toEqual([idOf("0")]);
        expect(await selected(catalog, { project: "two" }), run).toEqual([idOf("1")]);
        expect(await catalog.places(idOf("2"))).toEqual([]);
      },
    });
  });

  it("counts a score once when it is repeated", async () => {
    await killedAtEachCall({
      prepare: async () => {
        const table = await freshTable(engine);
        await table.catalog().add(makeNew("a"));
        return table;
      },
      work: async (catalog) => catalog.setScore(idOf("a"), makeScore()),
      check: async (table, run) => {
        expect(await table.catalog().scoredCount(), run).toBe(1);
        expect(await table.catalog().scoredCount("team"), run).toBe(1);
        expect(await table.catalog().unscored({ before: 9, limit: 9 })).toEqual([]);
      },
    });
  });
});

describe("a DynamoLedger whose answers get lost", () => {
  it("tells a writer that it has won, when the client asked again", async () => {
    const table = await freshTable(engine);
    const ledger = table.ledger({ interference: { kind: "repeated" } });
    expect(await ledger.put("lease", "me", 0)).toBe("stored");
    expect(await ledger.put("lease", "me again", 1)).toBe("stored");
    expect(await ledger.put("lease", "too late", 1)).toBe("conflict");
    expect(await ledger.get("lease")).toEqual({ value: "me again", version: 2 });
  });
});
