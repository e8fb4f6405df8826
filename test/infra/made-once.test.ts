import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { madeOnce } from "../../infra/local/pip-install.ts";

describe("a folder that is made once", () => {
  let home = "";
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "gymline-made-once-"));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const half = (folder: string, error: unknown) => async (): Promise<void> => {
    writeFileSync(join(folder, "half"), "");
    throw error;
  };

  it("is made anew only where its stamp changed", async () => {
    const folder = join(home, "made");
    let count = 0;
    const make = async (): Promise<void> => {
      count += 1;
      writeFileSync(join(folder, "count"), String(count));
    };
    for (const stamp of ["a", "a", "b"]) expect(await madeOnce({ folder, stamp, make })).toBe(true);
    expect(readFileSync(join(folder, "count"), "utf8")).toBe("2");
  });

  it("is gone where making it failed, so that it may be made again", async () => {
    const folder = join(home, "made");
    const broken = new Error("no space left");
    await expect(madeOnce({ folder, stamp: "a", make: half(folder, broken) })).rejects.toBe(broken);
    expect(existsSync(folder)).toBe(false);
    const offline = Object.assign(new Error("pip"), { stderr: "NewConnectionError: no route" });
    expect(await madeOnce({ folder, stamp: "a", make: half(folder, offline) })).toBe(false);
    expect(existsSync(folder)).toBe(false);
    expect(await madeOnce({ folder, stamp: "a", make: () => Promise.resolve() })).toBe(true);
  });
});
