import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { leanStart } from "../../containers/gymline/lean-start.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { goodLogs, gymline } from "./program.ts";

const file = "/usr/bin/node";
const env = { HOME: "/home/user" };

function started(args: readonly string[], more: { execArgv?: string[]; env?: NodeJS.ProcessEnv } = {}) {
  return leanStart({ argv: [file, "main.js", ...args], execArgv: [], execPath: file, env, ...more });
}

describe("a start with little memory", () => {
  it("keeps what the program was started with", () => {
    const execArgv = ["--import", "hook.js"];
    expect(started(["--json", "run", "drop", "--out", "export"], { execArgv })).toEqual({
      file,
      args: [
        ...[file, "--max-semi-space-size=16", "--import", "hook.js"],
        ...["main.js", "--json", "run", "drop", "--out", "export"],
      ],
      env: { ...env, MALLOC_ARENA_MAX: "2" },
    });
    expect(started(["export"], { env: { MALLOC_ARENA_MAX: "8" } })?.env).toEqual({ MALLOC_ARENA_MAX: "8" });
  });

  it("is made once, by commands that are large, and not against the user's own limit", () => {
    const first = started(["run", "drop"]);
    expect(started(["run", "drop"], { execArgv: [...(first?.args ?? [])].slice(1, 2) })).toBeUndefined();
    expect(started(["run"], { env: { NODE_OPTIONS: "--max-semi-space-size=64" } })).toBeUndefined();
    expect(started(["run"], { execArgv: ["--max_semi_space_size=64"] })).toBeUndefined();
    for (const args of [[], ["--help"], ["show", "run"], ["formats"]]) expect(started(args)).toBeUndefined();
  });

  it("is what the program does, in the same process and with the same streams", async () => {
    const folder = temporaryFolder("lean");
    const seen = join(folder, "seen.jsonl");
    const hook = `data:text/javascript,${encodeURIComponent(
      `import { appendFileSync } from "node:fs";
       import { isMainThread } from "node:worker_threads";
       const { pid, execArgv, env } = process;
       if (isMainThread) appendFileSync(${JSON.stringify(seen)}, JSON.stringify([pid, execArgv.length, env.MALLOC_ARENA_MAX]) + "\\n");`,
    )}`;
    const own = { NODE_OPTIONS: `--import=${hook}`, MALLOC_ARENA_MAX: undefined };
    const run = await gymline(["run", goodLogs(), "--jobs", "1", "--json", "--out", folder], { env: own });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(JSON.parse(run.stdout)).toBeTypeOf("object");
    const starts = readFileSync(seen, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const [pid] = starts[0];
    expect(starts.filter(([of]) => of === pid)).toEqual([
      [pid, 0, null],
      [pid, 1, "2"],
    ]);
  });
});
