import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ChildJobs } from "../../shared/adapters/local/child-jobs.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { eventually } from "../local-batch/batch-runner.ts";
import { jobsContract } from "../ports/jobs.contract.ts";

function childJobs(): { readonly jobs: ChildJobs; readonly folder: string } {
  const folder = temporaryFolder("jobs");
  const program = (command: readonly string[]) => ({ path: "bash", args: ["-c", ...command] });
  const jobs = new ChildJobs({ program, cwd: folder, logs: join(folder, "logs"), clock: systemClock });
  return { jobs, folder };
}

jobsContract("ChildJobs", async () => {
  const { jobs, folder } = childJobs();
  return {
    jobs,
    held: () => {
      const file = join(folder, "go");
      return {
        command: `while [ ! -e ${file} ]; do sleep 0.05; done`,
        release: () => writeFileSync(file, ""),
      };
    },
  };
});

describe("ChildJobs", () => {
  it("keeps what a program prints, and says where it stands when it fails", async () => {
    const { jobs } = childJobs();
    const { id } = await jobs.submit({ name: "talk", command: ["echo said; echo cried >&2; exit 3"] });
    await jobs.settled();
    const [status] = await jobs.describe([id]);
    expect(status?.reason).toContain(jobs.logOf(id));
    expect(readFileSync(jobs.logOf(id), "utf8")).toBe("said\ncried\n");
  });

  it("calls a program failed that is not there", async () => {
    const folder = temporaryFolder("jobs");
    const program = () => ({ path: join(folder, "nothing"), args: [] });
    const jobs = new ChildJobs({ program, cwd: folder, logs: folder, clock: systemClock });
    const { id } = await jobs.submit({ name: "none", command: ["x"] });
    await jobs.settled();
    expect(await jobs.describe([id])).toMatchObject([{ state: "FAILED", exitCode: 127 }]);
  });

  it("tells all that runs to stop, and what they started too", async () => {
    const { jobs, folder } = childJobs();
    const command = [
      `trap 'touch ${folder}/saved; exit 75' TERM; touch ${folder}/up; while :; do sleep 0.05; done`,
    ];
    await jobs.submit({ name: "long", command });
    await eventually(
      async () => existsSync(join(folder, "up")),
      (up) => up,
    );
    jobs.stop("SIGTERM");
    await jobs.settled();
    expect(existsSync(join(folder, "saved"))).toBe(true);
  });

  it("ends what runs though its own process is killed, and begins nothing under the same lock before", async () => {
    const folder = temporaryFolder("jobs");
    const options = `{
      program: (command) => ({ path: "bash", args: ["-c", ...command] }),
      cwd: ${JSON.stringify(folder)}, logs: ${JSON.stringify(folder)}, lock: ${JSON.stringify(join(folder, "lock"))},
      clock: { now: () => Date.now() },
    }`;
    // Its child is of its group; both save for a while when they are told to end.
    const program =
      "trap 'sleep 0.5; touch saved; exit 75' TERM; sleep 600 & echo $! > child; echo $$ > up; while :; do sleep 0.05; done";
    const script = `
      const { ChildJobs } = await import(${JSON.stringify(resolve("shared/adapters/local/child-jobs.ts"))});
      const jobs = new ChildJobs(${options});
      await jobs.submit({ name: "long", command: [${JSON.stringify(program)}] });
    `;
    const killed = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "inherit" });
    await eventually(
      async () => existsSync(join(folder, "up")),
      (up) => up,
    );
    killed.kill("SIGKILL");
    await once(killed, "exit");
    const shell = (command: readonly string[]) => ({ path: "bash", args: ["-c", ...command] });
    const next = new ChildJobs({
      ...{ program: shell, cwd: folder, logs: join(folder, "logs"), clock: systemClock },
      lock: join(folder, "lock"),
    });
    const alive = '! kill -0 "$(cat up)" && ! kill -0 "$(cat child)" && test -e saved';
    const { id } = await next.submit({ name: "next", command: [alive] });
    await next.settled();
    expect((await next.describe([id]))[0], readFileSync(next.logOf(id), "utf8")).toMatchObject({
      state: "SUCCEEDED",
    });
    await next.alone();
  });
});
