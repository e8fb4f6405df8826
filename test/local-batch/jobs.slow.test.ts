import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { eventually, isAlive, startBench } from "./batch-runner.ts";

/** Fails until it has been run so many times; `failure` is a shell command. */
function failsUntil(times: number, failure: string): string {
  const file = join(temporaryFolder("batch-count"), "count");
  return `echo x >> ${file}; [ $(wc -l < ${file}) -ge ${times} ] || ${failure}`;
}

describe("a single job", () => {
  it("runs its command and succeeds, with its output in its log", async () => {
    const bench = await startBench();
    const job = await bench.until(await bench.submit("echo done; echo trouble >&2"));
    expect(job).toMatchObject({
      status: "SUCCEEDED",
      statusReason: "Essential container in task exited",
      jobQueue: "arn:aws:batch:us-east-1:000000000000:job-queue/high",
      jobDefinition: "arn:aws:batch:us-east-1:000000000000:job-definition/work:1",
      container: { exitCode: 0 },
      attempts: [{ container: { exitCode: 0 } }],
    });
    const [created = 0, started = 0, stopped = 0] = [job.createdAt, job.startedAt, job.stoppedAt];
    expect(created).toBeLessThanOrEqual(started);
    expect(started).toBeLessThanOrEqual(stopped);
    expect(bench.log(job)).toBe("done\ntrouble\n");
  });

  it("fails with the exit code of its command", async () => {
    const bench = await startBench();
    const job = await bench.until(await bench.submit("exit 3"));
    expect(job).toMatchObject({ status: "FAILED", container: { exitCode: 3 } });
    expect(job.attempts).toHaveLength(1);
  });

  it("has the exit code that a shell gives to a signal", async () => {
    const bench = await startBench();
    const job = await bench.until(await bench.submit("kill -KILL $$"));
    expect(job).toMatchObject({ status: "FAILED", container: { exitCode: 137 } });
  });

  it("fails to start where no program stands for its image", async () => {
    const bench = await startBench({ container: { Image: "unknown:1" } });
    const job = await bench.until(await bench.submit("true"));
    expect(job).toMatchObject({ status: "FAILED", statusReason: "Task failed to start" });
    expect(job.container?.reason).toContain("UnmappedImageError: no program stands for image unknown:1");
    expect(job.attempts?.[0]?.container?.exitCode).toBeUndefined();
  });

  it("inherits PATH and HOME alone, and gets the given, the definition's and Batch's variables", async () => {
    process.env["GYMLINE_TEST_SECRET"] = "not for jobs";
    const bench = await startBench({
      container: {
        Environment: [
          { Name: "A", Value: "definition" },
          { Name: "B", Value: "definition" },
        ],
      },
      options: { environment: { A: "runner", ENDPOINT: "http://127.0.0.1:1" } },
    });
    const id = await bench.submit("env", {
      containerOverrides: { environment: [{ name: "B", value: "submission" }] },
    });
    const lines = bench.log(await bench.until(id)).split("\n");
    const variables = Object.fromEntries(lines.filter(Boolean).map((line) => line.split("=", 2)));
    delete process.env["GYMLINE_TEST_SECRET"];
    expect(variables).toMatchObject({
      A: "definition",
      B: "submission",
      ENDPOINT: "http://127.0.0.1:1",
      AWS_BATCH_JOB_ID: id,
      AWS_BATCH_JOB_ATTEMPT: "1",
      AWS_BATCH_JQ_NAME: "high",
      AWS_BATCH_CE_NAME: "machines",
    });
    const own = ["A", "B", "ENDPOINT", "PATH", "HOME"];
    const shells = ["PWD", "OLDPWD", "SHLVL", "_"];
    const others = Object.keys(variables).filter((name) => !name.startsWith("AWS_BATCH_"));
    expect(others.filter((name) => !shells.includes(name)).toSorted()).toEqual(own.toSorted());
  });

  it("takes secrets from the variables given to the runner, and fails without them", async () => {
    const container = { Secrets: [{ Name: "API_KEY", ValueFrom: "arn:of:a:secret" }] };
    const without = await startBench({ container });
    const failed = await without.until(await without.submit("true"));
    expect(failed.container?.reason).toContain("MissingSecretError");
    const bench = await startBench({ container, options: { environment: { API_KEY: "k" } } });
    const job = await bench.until(await bench.submit("echo $API_KEY"));
    expect(bench.log(job)).toBe("k\n");
  });

  it("fills in parameters, the submission's over the definition's, and leaves unknown ones as they are", async () => {
    const bench = await startBench({
      container: { Command: ['echo "$0 $@"', "Ref::first", "Ref::second", "Ref::third"] },
      properties: { Parameters: { first: "one", second: "two" } },
    });
    const id = await bench.submit("", {
      parameters: { second: "zwei" },
      containerOverrides: { command: undefined },
    });
    expect(bench.log(await bench.until(id))).toBe("one zwei Ref::third\n");
  });

  it("leaves no process of its group behind when it ends", async () => {
    const bench = await startBench();
    const file = join(temporaryFolder("batch-stray"), "pid");
    await bench.until(await bench.submit(`sleep 60 & echo $! > ${file}`));
    await eventually(
      () => isAlive(Number(readFileSync(file, "utf8"))),
      (alive) => !alive,
    );
  });
});

describe("retries", () => {
  const spot = {
    attempts: 3,
    evaluateOnExit: [
      { onExitCode: "143", action: "RETRY" as const },
      { onStatusReason: "Host EC2*", action: "RETRY" as const },
      { onReason: "*", action: "EXIT" as const },
    ],
  };

  it("runs a job again after an exit code that its strategy retries, until it succeeds", async () => {
    const bench = await startBench();
    const command = `${failsUntil(3, "exit 143")}; echo attempt $AWS_BATCH_JOB_ATTEMPT`;
    const job = await bench.until(await bench.submit(command, { retryStrategy: spot }));
    expect(job.status).toBe("SUCCEEDED");
    expect(job.attempts?.map(({ container }) => container?.exitCode)).toEqual([143, 143, 0]);
    expect(bench.log(job)).toBe("attempt 3\n");
    expect(new Set(job.attempts?.map(({ container }) => container?.logStreamName)).size).toBe(3);
  });

  it("does not run it again after any other", async () => {
    const bench = await startBench();
    const job = await bench.until(await bench.submit("exit 1", { retryStrategy: spot }));
    expect(job.status).toBe("FAILED");
    expect(job.attempts).toHaveLength(1);
  });

  it("gives up after the last attempt", async () => {
    const bench = await startBench();
    const job = await bench.until(await bench.submit("exit 143", { retryStrategy: spot }));
    expect(job.status).toBe("FAILED");
    expect(job.attempts).toHaveLength(3);
  });

  it("takes the definition's strategy where the submission has none", async () => {
    const bench = await startBench({ properties: { RetryStrategy: { Attempts: 2 } } });
    const job = await bench.until(await bench.submit(failsUntil(2, "exit 9")));
    expect(job.attempts?.map(({ container }) => container?.exitCode)).toEqual([9, 0]);
  });
});

describe("time-outs", () => {
  it("end an attempt with SIGTERM, and it is not tried again", async () => {
    const bench = await startBench();
    const id = await bench.submit("trap 'echo asked; exit 5' TERM; sleep 60 & wait", {
      timeout: { attemptDurationSeconds: 1 },
      retryStrategy: { attempts: 3 },
    });
    const job = await bench.until(id);
    expect(job).toMatchObject({
      status: "FAILED",
      statusReason: "Job attempt duration exceeded timeout",
      container: { exitCode: 5 },
    });
    expect(job.attempts).toHaveLength(1);
    expect(bench.log(job)).toContain("asked");
  });

  it("end an attempt that does not listen with SIGKILL", async () => {
    const bench = await startBench();
    const id = await bench.submit("trap '' TERM; sleep 60 & wait; sleep 60", {
      timeout: { attemptDurationSeconds: 1 },
    });
    expect(await bench.until(id)).toMatchObject({ status: "FAILED", container: { exitCode: 137 } });
  });

  it("start anew with each attempt", async () => {
    const bench = await startBench();
    const file = join(temporaryFolder("batch-time"), "second");
    const id = await bench.submit(`sleep 1.7; [ -e ${file} ] || { touch ${file}; exit 1; }`, {
      timeout: { attemptDurationSeconds: 3 },
      retryStrategy: { attempts: 2 },
    });
    expect(await bench.until(id)).toMatchObject({ status: "SUCCEEDED" });
  });
});

describe("a folder of its own", () => {
  it("is where a process works, and goes when it ends", async () => {
    const bench = await startBench();
    const marker = join(temporaryFolder("batch-cwd"), "cwd");
    writeFileSync(marker, "");
    await bench.until(await bench.submit(`touch here; pwd > ${marker}`));
    const folder = readFileSync(marker, "utf8").trim();
    expect(folder).toContain("work");
    expect(existsSync(folder)).toBe(false);
  });
});
