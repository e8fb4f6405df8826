import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { trainerPlan } from "../../infra/local/trainer-environment.ts";

const script = join(resolve(import.meta.dirname, "../.."), "infra/local/trainer-setup.ts");

function setup(...args: readonly string[]): {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

describe("npm run trainer:setup", () => {
  it("says what it can install, and answers what it does not know with that", () => {
    const help = setup("--help");
    expect(help).toMatchObject({ code: 0, err: "" });
    expect(help.out).toContain("--train");
    const wrong = setup("--trian");
    expect(wrong).toMatchObject({ code: 1, out: "" });
    expect(wrong.err).toContain("'--trian'");
    expect(wrong.err).toContain(help.out);
  });

  it("installs the parts that are asked for, anew once they name other packages", async () => {
    const light = await trainerPlan("/tmp/a", ["critic"]);
    const full = await trainerPlan("/tmp/a", ["critic", "train"]);
    expect(light.installs.flat().at(-1)).toMatch(/containers\/trainer\[critic\]$/);
    expect(full.installs.flat().at(-1)).toMatch(/containers\/trainer\[critic,train\]$/);
    expect(full.revision).toBe(light.revision);
    expect(full.minors).toContain(11);
  });
});
