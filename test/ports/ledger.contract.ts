import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ledger } from "../../shared/ports/ledger.ts";
import { all } from "./catalog.contract.ts";

/** What every ledger must do. Each test gets an empty one. */
export function ledgerContract(name: string, start: () => Promise<Ledger>): void {
  describe(`${name} as a ledger`, () => {
    it("keeps a record from its first version on", async () => {
      const ledger = await start();
      expect(await ledger.get("a")).toBeUndefined();
      expect(await ledger.put("a", "one", 0)).toBe("stored");
      expect(await ledger.get("a")).toEqual({ value: "one", version: 1 });
      expect(await ledger.put("a", "", 1)).toBe("stored");
      expect(await ledger.get("a")).toEqual({ value: "", version: 2 });
    });

    it("changes nothing for a writer who knows another version", async () => {
      const ledger = await start();
      expect(await ledger.put("a", "x", 1)).toBe("conflict");
      expect(await ledger.remove("a", 0)).toBe("conflict");
      expect(await ledger.remove("a", 1)).toBe("conflict");
      await ledger.put("a", "one", 0);
      await ledger.put("a", "two", 1);
      for (const expected of [0, 1, 3]) {
        expect(await ledger.put("a", "x", expected)).toBe("conflict");
        expect(await ledger.remove("a", expected)).toBe("conflict");
      }
      expect(await ledger.get("a")).toEqual({ value: "two", version: 2 });
    });

    it("removes a record, which may then be put anew", async () => {
      const ledger = await start();
      await ledger.put("a", "one", 0);
      await ledger.put("a", "two", 1);
      expect(await ledger.remove("a", 2)).toBe("removed");
      expect(await ledger.remove("a", 2)).toBe("conflict");
      expect(await ledger.get("a")).toBeUndefined();
      expect(await ledger.put("a", "three", 2)).toBe("conflict");
      expect(await ledger.put("a", "three", 0)).toBe("stored");
      expect(await ledger.get("a")).toEqual({ value: "three", version: 1 });
    });

    it("lets one of many racing writers win each version", async () => {
      const ledger = await start();
      for (let version = 0; version < 5; version += 1) {
        const outcomes = await Promise.all(
          Array.from({ length: 10 }, (_, writer) => ledger.put("lease", `writer ${writer}`, version)),
        );
        const winners = outcomes.flatMap((outcome, writer) => (outcome === "stored" ? [writer] : []));
        expect(winners).toHaveLength(1);
        expect(await ledger.get("lease")).toEqual({ value: `writer ${winners[0]}`, version: version + 1 });
      }
    });

    it("lists what starts with a prefix, by the keys' bytes", async () => {
      const letters = fc.constantFrom("a", "b", "/", "#", "%", "_", "é", "\uffee", "😀");
      const key = fc.string({ unit: letters, minLength: 1, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(key, { maxLength: 12 }),
          fc.string({ unit: letters, maxLength: 2 }),
          async (keys, prefix) => {
            const ledger = await start();
            for (const name of keys) await ledger.put(name, `value of ${name}`, 0);
            const expected = keys
              .filter((name) => name.startsWith(prefix))
              .sort((first, second) => Buffer.compare(Buffer.from(first), Buffer.from(second)))
              .map((name) => ({ key: name, value: `value of ${name}`, version: 1 }));
            expect(await all(ledger.list(prefix))).toEqual(expected);
          },
        ),
        { numRuns: 40 },
      );
    });
  });
}
