import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, it } from "vitest";
import { expectSynthetic, exportAtScale, fillCatalog, planAtScale } from "./at-scale.ts";

const rows = 1_000_000;
/** Code, buffers, columns outside the heap, and what the allocator keeps: a third above what was measured. */
const residentMiB = 900;

describe("export of a million trajectories", () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gymline-million-"));
    await fillCatalog({ folder, rows });
    return () => rmSync(folder, { recursive: true, force: true });
  });

  it.each(["trl", "trl-dpo", "grpo-offline", "verl-rl"] as const)(
    "selects, splits and writes %s in a heap of 160 MiB",
    async (target) => {
      await planAtScale(target, { folder, rows });
      const manifest = await exportAtScale(
        target,
        { folder, rows, heapMiB: 160, residentMiB },
        { files: "jsonl" },
      );
      expectSynthetic(target, manifest, rows);
    },
  );

  it("streams a Parquet file of all of them", async () => {
    const manifest = await exportAtScale(
      "grpo-offline",
      { folder, rows, heapMiB: 256, residentMiB },
      { name: "parquet", files: "parquet" },
    );
    expectSynthetic("grpo-offline", manifest, rows);
  });
});
