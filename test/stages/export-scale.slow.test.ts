import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { expectSynthetic, exportAtScale, fillCatalog, planAtScale } from "./at-scale.ts";

const rows = 20_000;
/** Long enough for a machine that does much else. */
const timeout = 900_000;

describe("export of 20,000 trajectories", () => {
  it("selects, splits and writes rows of trajectories, pairs and tasks in a small heap", {
    timeout,
  }, async () => {
    const folder = temporaryFolder("scale");
    await fillCatalog({ folder, rows });
    for (const target of ["trl", "trl-dpo", "verl-rl"] as const) {
      await planAtScale(target, { folder, rows });
      const manifest = await exportAtScale(target, { folder, rows, heapMiB: 64, residentMiB: 400 });
      expectSynthetic(target, manifest, rows);
    }
  });

  it("writes the same bytes whether this thread renders the rows or several others do", {
    timeout,
  }, async () => {
    const small = { folder: temporaryFolder("scale"), rows: 2000, heapMiB: 96, residentMiB: 600 };
    await fillCatalog(small);
    for (const target of ["trl", "trl-dpo", "grpo-offline", "verl-rl"] as const) {
      const alone = await exportAtScale(target, small, { name: `${target}-alone` });
      expectSynthetic(target, alone, small.rows);
      const threads = await exportAtScale(target, small, { name: `${target}-threads`, threads: 2 });
      expect(threads.files).toEqual(alone.files);
      expect(threads.statistics).toEqual(alone.statistics);
      expect(threads.selection).toEqual(alone.selection);
    }
  });
});
