import { join } from "node:path";
import { expect, it } from "vitest";
import { runningProcesses } from "../../infra/local/engines/process-table.ts";
import { ProgramError, runProgram } from "../../infra/local/run-program.ts";

function run(program: string, signal = AbortSignal.timeout(60_000)) {
  const args = [join(import.meta.dirname, "programs.ts"), program];
  return runProgram({ command: process.execPath, args, env: {}, cwd: import.meta.dirname, signal });
}

it("gives what the program printed with its exit status", async () => {
  await expect(run("nonsense")).rejects.toMatchObject({
    name: "ProgramError",
    message: "ended with exit status 3",
    output: expect.stringContaining("there is no such program"),
  });
});

it("ends what the program started, too, when the time is up", async () => {
  const failure = await run("parent", AbortSignal.timeout(2_000)).catch((error: unknown) => error);

  expect(failure).toMatchObject({ message: "ran out of time" });
  const output = failure instanceof ProgramError ? failure.output : "";
  const pids = [...output.matchAll(/begins as (\d+)/g)].map(([, pid]) => Number(pid));
  expect(pids).toHaveLength(2);
  expect((await runningProcesses()).filter((row) => pids.includes(row.pid))).toEqual([]);
});

it("says that it was broken off where the user did so", async () => {
  await expect(run("silent", AbortSignal.abort())).rejects.toThrow("was broken off");
});
