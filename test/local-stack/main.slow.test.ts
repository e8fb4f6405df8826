import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { skipWithout } from "./engine.ts";

const root = resolve(import.meta.dirname, "../..");

/** Starts `npm run local` with a stack of the test's own. */
function local(home: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, ["infra/local/main.ts", "--folder", home, ...args], { cwd: root });
  const run = { output: "", ended: once(child, "close").then(([code]) => code as number | null), child };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      run.output += text;
    });
  }
  return run;
}

async function localToEnd(home: string, ...args: readonly string[]) {
  const run = local(home, ...args);
  return { code: await run.ended, output: run.output };
}

it("brings a stack up, takes drops, shows logs, and is ended from another process", async (context) => {
  await skipWithout("ministack", context);
  const home = temporaryFolder("local");
  onTestFinished(async () => void (await localToEnd(home, "--stop")));
  const app = `"${process.execPath}" test/local-stack/app/main.ts`;
  expect(await localToEnd(home, "--status")).toEqual({ code: 3, output: "No stack runs.\n" });
  expect(await localToEnd(home, "--drop", "README.md")).toMatchObject({
    code: 1,
    output: expect.stringContaining("start it first"),
  });

  const up = local(home, "--app", app);
  await expect.poll(() => up.output, { timeout: 240_000, interval: 200 }).toContain("Ctrl-C leaves");
  expect(await localToEnd(home, "--status")).toMatchObject({
    code: 0,
    output: expect.stringContaining("healthy"),
  });

  const poison = join(temporaryFolder(), "agent.log");
  writeFileSync(poison, "text");
  expect((await localToEnd(home, "--drop", poison, "--project", "poison")).output).toMatch(
    /^Dropped +1 file/m,
  );
  await expect.poll(() => up.output, { timeout: 60_000, interval: 200 }).toContain("this object is poison");

  expect(await localToEnd(home, "--engine", "localstack")).toMatchObject({
    code: 1,
    output: expect.stringContaining("ministack runs already"),
  });
  expect(await localToEnd(home, "--stop")).toMatchObject({ code: 0 });
  expect(await up.ended).toBe(0);
  expect(up.output).toContain("The stack was ended.");
  expect((await localToEnd(home, "--status")).code).toBe(3);
});

it("leaves the stack running on Ctrl-C, and deploys to it when it is called again", async (context) => {
  await skipWithout("ministack", context);
  const home = temporaryFolder("local");
  onTestFinished(async () => void (await localToEnd(home, "--stop")));
  const app = `"${process.execPath}" test/local-stack/app/main.ts`;
  const first = local(home, "--app", app);
  await expect.poll(() => first.output, { timeout: 240_000, interval: 200 }).toContain("Ctrl-C leaves");
  first.child.kill("SIGINT");
  expect(await first.ended).toBe(0);

  const second = local(home, "--app", app);
  await expect.poll(() => second.output, { timeout: 240_000, interval: 200 }).toContain("Ctrl-C leaves");
  second.child.kill("SIGINT");

  expect(await second.ended).toBe(0);
  const endpoint = /answers at (\S+)\./;
  expect(endpoint.exec(second.output)?.[1]).toBe(endpoint.exec(first.output)?.[1]);
});

it("runs the program itself, with a runner for its Batch jobs, and leaves no process behind", async (context) => {
  await skipWithout("ministack", context);
  const home = temporaryFolder("local");
  onTestFinished(async () => void (await localToEnd(home, "--stop")));
  const up = local(home);
  await expect.poll(() => up.output, { timeout: 240_000, interval: 200 }).toContain("Ctrl-C leaves");
  const log = join(temporaryFolder(), "run.jsonl");
  writeFileSync(log, `${chatRow({ task: "one", success: true })}\n`);
  expect(await localToEnd(home, "--drop", log)).toMatchObject({ code: 0 });
  await expect.poll(() => up.output, { timeout: 180_000, interval: 200 }).toContain('"scored":1');
  const processes = () => execFileSync("ps", ["-A", "-o", "args"], { encoding: "utf8" });
  expect(processes()).toContain(join(home, "batch"));
  expect(await localToEnd(home, "--stop")).toMatchObject({ code: 0 });
  // Programs that were killed take a moment to go.
  await expect.poll(processes, { timeout: 10_000 }).not.toContain(home);
  expect(readdirSync(home)).toEqual(["engine.log"]);
});
