import { describe, expect, it } from "vitest";
import { type Catalog, type DatasetRecord, FencedError } from "../../shared/ports/catalog.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import { idOf, makeNew, makeSession } from "../factories/catalog-rows.ts";
import { all } from "./catalog.contract.ts";

/** Opens a fresh catalog with the ledger that its fences are in. */
export type StartWithLedger = (
  now: number | Clock,
) => Promise<{ readonly catalog: Catalog; readonly ledger: Ledger }>;

export function makeDataset(version: string, names: readonly string[], name = "sft"): DatasetRecord {
  const rows = names.map((row) => ({ id: idOf(row), split: "train" }));
  return { name, version, format: "sft-messages", rows };
}

/** Datasets of a catalog. Each test gets an empty one. */
export function datasetContract(name: string, start: StartWithLedger): void {
  describe(`${name} as a catalog`, () => {
    describe("datasets", () => {
      it("counts an export once, however often it is registered", async () => {
        const { catalog } = await start(0);
        for (const name of ["a", "b"]) await catalog.add(makeNew(name));
        expect(await catalog.hasDataset("sft", "1")).toBe(false);
        expect(await catalog.registerDataset(makeDataset("1", ["a", "b"]))).toBe("registered");
        expect(await catalog.hasDataset("sft", "1")).toBe(true);
        expect(await catalog.hasDataset("other", "1")).toBe(false);
        expect(await catalog.registerDataset(makeDataset("1", ["a", "b"]))).toBe("known");
        expect(await catalog.registerDataset(makeDataset("2", ["a"]))).toBe("registered");
        expect(await catalog.entry(idOf("a"))).toMatchObject({ exportCount: 2 });
        expect(await catalog.entry(idOf("b"))).toMatchObject({ exportCount: 1 });
        expect(await catalog.datasetsOf(idOf("a"))).toEqual([
          { name: "sft", version: "1", split: "train" },
          { name: "sft", version: "2", split: "train" },
        ]);
      });

      it("registers all of a dataset or nothing", async () => {
        const { catalog } = await start(0);
        await catalog.add(makeNew("a"));
        await expect(catalog.registerDataset(makeDataset("1", ["a", "a"]))).rejects.toThrow();
        expect(await catalog.entry(idOf("a"))).toMatchObject({ exportCount: 0 });
        expect(await catalog.datasetsOf(idOf("a"))).toEqual([]);
        expect(await catalog.registerDataset(makeDataset("1", ["a"]))).toBe("registered");
      });

      it("notes the row of a trajectory that was forgotten meanwhile", async () => {
        const { catalog } = await start(0);
        for (const name of ["a", "b"]) await catalog.add(makeNew(name));
        await catalog.forget(idOf("a"));
        expect(await catalog.registerDataset(makeDataset("1", ["a", "b"]))).toBe("registered");
        expect(await catalog.entry(idOf("a"))).toBeUndefined();
        expect(await catalog.datasetsOf(idOf("a"))).toEqual([{ name: "sft", version: "1", split: "train" }]);
        expect(await catalog.entry(idOf("b"))).toMatchObject({ exportCount: 1 });
        expect(await catalog.forgottenIn("sft", "1")).toEqual([idOf("a")]);
      });

      it("knows which versions hold what was forgotten, also when it is forgotten again", async () => {
        const { catalog } = await start(0);
        for (const name of ["a", "b", "c"]) await catalog.add(makeNew(name));
        await catalog.registerDataset(makeDataset("1", ["a", "b", "c"]));
        await catalog.registerDataset(makeDataset("1", ["b"], "other"));
        expect(await catalog.forgottenIn("sft", "1")).toEqual([]);
        for (const name of ["a", "b", "a"]) await catalog.forget(idOf(name));
        await catalog.registerDataset(makeDataset("2", ["c"]));
        expect(await catalog.forgottenIn("sft", "1")).toEqual([idOf("a"), idOf("b")].sort());
        expect(await catalog.forgottenIn("other", "1")).toEqual([idOf("b")]);
        for (const [name, version] of [
          ["sft", "2"],
          ["sft", "3"],
          ["nobody", "1"],
        ] as const) {
          expect(await catalog.forgottenIn(name, version)).toEqual([]);
        }
      });

      it("marks a version for what was forgotten along with another", async () => {
        const { catalog } = await start(0);
        await catalog.add(makeNew("short", { session: makeSession("s", "ab") }));
        await catalog.registerDataset(makeDataset("1", ["short"]));
        await catalog.add(makeNew("long", { session: makeSession("s", "abc") }));
        await catalog.registerDataset(makeDataset("2", ["long"]));
        await catalog.forget(idOf("long"));
        expect(await catalog.forgottenIn("sft", "1")).toEqual([idOf("short")]);
        expect(await catalog.forgottenIn("sft", "2")).toEqual([idOf("long")]);
      });

      it("lists them by name, then the oldest first, and tells whose event went out", async () => {
        let now = 30;
        const { catalog } = await start({ now: () => now });
        await catalog.add(makeNew("a"));
        expect(await all(catalog.datasets())).toEqual([]);
        await catalog.registerDataset(makeDataset("x", ["a", "b"]));
        now = 10;
        await catalog.registerDataset(makeDataset("y", []));
        await catalog.registerDataset(makeDataset("z", ["a"], "sft-long"));
        now = 20;
        await catalog.registerDataset(makeDataset("1", ["a"], "dpo"));
        await catalog.announceDataset("sft", "y");
        await catalog.announceDataset("sft", "never was");
        const format = "sft-messages";
        const expected = [
          { name: "dpo", version: "1", format, rows: 1, createdAt: 20, announced: false },
          { name: "sft", version: "y", format, rows: 0, createdAt: 10, announced: true },
          { name: "sft", version: "x", format, rows: 2, createdAt: 30, announced: false },
          { name: "sft-long", version: "z", format, rows: 1, createdAt: 10, announced: false },
        ];
        expect(await all(catalog.datasets())).toEqual(expected);
        now = 99;
        await catalog.announceDataset("sft", "y");
        await catalog.registerDataset(makeDataset("y", []));
        expect(await all(catalog.datasets())).toEqual(expected);
      });

      it("registers for who holds the lease, and nothing for who held it", async () => {
        const { catalog, ledger } = await start(0);
        await catalog.add(makeNew("a"));
        await ledger.put("lease/export", "me", 0);
        const fence = { key: "lease/export", version: 1 };
        expect(await catalog.registerDataset(makeDataset("1", ["a"]), fence)).toBe("registered");
        expect(await catalog.registerDataset(makeDataset("1", ["a"]), fence)).toBe("known");
        await ledger.put("lease/export", "somebody else", 1);
        for (const version of ["1", "2"]) {
          const registering = catalog.registerDataset(makeDataset(version, ["a"]), fence);
          await expect(registering).rejects.toBeInstanceOf(FencedError);
        }
        expect(await catalog.hasDataset("sft", "2")).toBe(false);
        expect(await catalog.entry(idOf("a"))).toMatchObject({ exportCount: 1 });
        await ledger.remove("lease/export", 2);
        const late = catalog.registerDataset(makeDataset("2", ["a"]), { ...fence, version: 2 });
        await expect(late).rejects.toBeInstanceOf(FencedError);
      });
    });
  });
}
