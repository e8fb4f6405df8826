import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";

it("clears an engine's home away though the process of the tests is killed", async () => {
  const home = temporaryFolder();
  const script = `
    const { endWithMe } = await import(${JSON.stringify(join(import.meta.dirname, "end-with-me.ts"))});
    endWithMe(${JSON.stringify(home)});
    setInterval(() => {}, 1000);
    process.stdout.write("ready");
  `;
  const tests = spawn(process.execPath, ["--input-type=module", "--eval", script]);
  await once(tests.stdout, "data");
  expect(existsSync(home)).toBe(true);

  tests.kill("SIGKILL");

  await expect.poll(() => existsSync(home), { timeout: 20_000 }).toBe(false);
});
