import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { goodLogs, gymline } from "./program.ts";

/** The tests themselves share one cache, of which the program here is to know nothing. */
const own = { NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: undefined };

function filesIn(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).length;
}

describe("compiled modules", () => {
  it("are kept in the user's cache folder, those of the threads among them, and serve the next start", async () => {
    const cache = temporaryFolder("cache");
    const env = { ...own, XDG_CACHE_HOME: cache };
    const run = ["run", goodLogs(), "--jobs", "1", "--out"];
    expect((await gymline([...run, "first"], { env })).code).toBe(0);
    expect(filesIn(join(cache, "gymline/compiled"))).toBeGreaterThan(100);
    const again = await gymline([...run, "second"], { env: { ...env, NODE_DEBUG_NATIVE: "COMPILE_CACHE" } });
    expect(again.code).toBe(0);
    for (const module of ["/cli.ts", "/compute-worker.ts"]) {
      expect(again.stderr).toContain(`${module} was accepted`);
    }
  });

  it("are kept nowhere where that is switched off or the folder cannot be written", async () => {
    const cache = temporaryFolder("cache");
    const off = { ...own, XDG_CACHE_HOME: cache, NODE_DISABLE_COMPILE_CACHE: "1" };
    expect((await gymline(["--version"], { env: off })).code).toBe(0);
    expect(filesIn(cache)).toBe(0);
    const file = join(cache, "file");
    writeFileSync(file, "");
    const blocked = await gymline(["--version"], { env: { ...own, XDG_CACHE_HOME: file } });
    expect([blocked.code, blocked.stderr]).toEqual([0, ""]);
  });
});
