import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { eventually, isAlive, startBench } from "./batch-runner.ts";
import { MAIN, RunnerProgram } from "./runner-program.ts";

const SPOT = {
  attempts: 3,
  evaluateOnExit: [
    { onStatusReason: "Host EC2*", action: "RETRY" as const },
    { onReason: "*", action: "EXIT" as const },
  ],
};

/** On one vCPU, so that jobs wait. */
const startProgram = (stateFolder: string): Promise<RunnerProgram> =>
  RunnerProgram.start({ stateFolder, maxVcpus: 1, args: ["--no-docker", "--map", "shell:latest=sh -c"] });

/** Notes its process, and ends at once when it is tried again. */
function notes(folder: string): string {
  return `echo $$ >> ${folder}/pids; [ "$AWS_BATCH_JOB_ATTEMPT" -gt 1 ] || { sleep 60 & wait; }`;
}

function pids(folder: string): readonly number[] {
  try {
    return readFileSync(join(folder, "pids"), "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

describe("a runner that was killed", () => {
  it("leaves jobs that the next one goes on with: lost attempts count as a lost host, others are kept", async () => {
    const [state, folder] = [temporaryFolder("batch-state"), temporaryFolder("batch-notes")];
    const first = await startProgram(state);
    const done = await first.bench.submit("true");
    await first.bench.until(done);
    const lost = await first.bench.submit(notes(folder), { retryStrategy: SPOT });
    await eventually(
      () => pids(folder),
      (all) => all.length === 1,
    );
    const runnable = await first.bench.submit("true");
    const pending = await first.bench.submit("true", { dependsOn: [{ jobId: lost }, { jobId: runnable }] });
    const array = await first.bench.submit("true", { arrayProperties: { size: 2 } });
    await first.bench.until(pending, "PENDING");
    await first.end("SIGKILL");
    expect(isAlive(pids(folder)[0] ?? 0)).toBe(true);

    const { bench } = await startProgram(state);
    const job = await bench.until(lost);
    expect(job.status).toBe("SUCCEEDED");
    expect(job.attempts).toHaveLength(2);
    expect(job.attempts?.[0]).toMatchObject({
      statusReason: expect.stringMatching(/^Host EC2 \(instance i-[0-9a-f]{17}\) terminated\.$/),
    });
    expect(job.attempts?.[0]?.container?.exitCode).toBeUndefined();
    expect(isAlive(pids(folder)[0] ?? 0)).toBe(false);
    for (const id of [runnable, pending, array]) {
      expect(await bench.until(id)).toMatchObject({ status: "SUCCEEDED" });
    }
    expect(await bench.job(done)).toMatchObject({ status: "SUCCEEDED", container: { exitCode: 0 } });
  });

  it("leaves a job failed whose strategy does not retry lost hosts", async () => {
    const [state, folder] = [temporaryFolder("batch-state"), temporaryFolder("batch-notes")];
    const first = await startProgram(state);
    const id = await first.bench.submit(notes(folder));
    await eventually(
      () => pids(folder),
      (all) => all.length === 1,
    );
    await first.end("SIGKILL");
    const { bench } = await startProgram(state);
    const job = await bench.until(id);
    expect(job).toMatchObject({ status: "FAILED" });
    expect(job.statusReason).toMatch(/^Host EC2/);
  });
});

describe("a runner that is asked to stop", () => {
  it("stops its jobs and exits, and the next one runs them again", async () => {
    const [state, folder] = [temporaryFolder("batch-state"), temporaryFolder("batch-notes")];
    const first = await startProgram(state);
    const id = await first.bench.submit(notes(folder), { retryStrategy: SPOT });
    await eventually(
      () => pids(folder),
      (all) => all.length === 1,
    );
    expect(await first.end("SIGTERM")).toBe(0);
    expect(isAlive(pids(folder)[0] ?? 0)).toBe(false);
    const { bench } = await startProgram(state);
    const job = await bench.until(id);
    expect(job.status).toBe("SUCCEEDED");
    expect(job.attempts?.[0]?.statusReason).toMatch(/^Host EC2/);
  });
});

describe("the state folder", () => {
  it("belongs to one runner at a time", async () => {
    const stateFolder = temporaryFolder("batch-state");
    await startBench({ stateFolder });
    await expect(startBench({ stateFolder })).rejects.toThrow("is another runner using that state folder?");
  });

  it("keeps revisions: a changed definition is a new one, an unchanged one is not", async () => {
    const stateFolder = temporaryFolder("batch-state");
    const revisionAfter = async (image: string): Promise<string | undefined> => {
      const bench = await startBench({ stateFolder, container: { Image: image } });
      const job = await bench.until(await bench.submit("true"));
      await bench.runner.stop();
      return job.jobDefinition?.split(":").at(-1);
    };
    expect(await revisionAfter("shell:1")).toBe("1");
    expect(await revisionAfter("shell:1")).toBe("1");
    expect(await revisionAfter("shell:2")).toBe("2");
  });
});

describe("the program", () => {
  it("says what is wrong with its options and how to use it", async () => {
    const child = spawn(process.execPath, [MAIN, "--state", temporaryFolder("batch-state")]);
    const chunks: Buffer[] = [];
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    const [code] = await once(child, "close");
    expect(code).toBe(2);
    expect(Buffer.concat(chunks).toString("utf8")).toMatch(/give at least one --template[\s\S]*usage: /);
  });
});
