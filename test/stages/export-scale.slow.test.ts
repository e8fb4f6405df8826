import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { expectSynthetic, exportAtScale, fillCatalog, planAtScale } from "./at-scale.ts";

const rows = 20_000;
const heapMiB = 64;

describe("export of 20,000 trajectories", () => {
  it("selects, splits and writes rows of trajectories, pairs, groups and tasks in a heap of 64 MiB", async () => {
    const folder = temporaryFolder("scale");
    await fillCatalog({ folder, rows });
    for (const target of ["trl", "trl-dpo", "grpo-offline", "verl-rl"] as const) {
      await planAtScale(target, { folder, rows });
      const manifest = await exportAtScale(target, { folder, rows, heapMiB });
      expectSynthetic(target, manifest, rows);
    }
    const parquet = await exportAtScale(
      "trl",
      { folder, rows, heapMiB: 128 },
      { name: "p", files: "parquet" },
    );
    expectSynthetic("trl", parquet, rows);
  });

  it("writes the same bytes whether this thread renders the rows or several others do", async () => {
    const folder = temporaryFolder("scale");
    const small = { folder, rows: 4000, heapMiB };
    await fillCatalog(small);
    for (const target of ["trl", "trl-dpo", "grpo-offline", "verl-rl"] as const) {
      const alone = await exportAtScale(target, small, { name: `${target}-alone` });
      const threads = await exportAtScale(target, small, { name: `${target}-threads`, threads: 2 });
      expect(threads.files).toEqual(alone.files);
      expect(threads.statistics).toEqual(alone.statistics);
      expect(threads.selection).toEqual(alone.selection);
    }
  });
});
