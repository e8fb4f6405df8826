import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { TerminateJobCommand } from "@aws-sdk/client-batch";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from "vitest";
import { type DockerOffer, offerDocker, type TestDocker } from "../docker/docker.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { type Bench, type RunnerFacts, startBench } from "./batch-runner.ts";
import { RunnerProgram } from "./runner-program.ts";

describe("jobs in containers", () => {
  let offer: DockerOffer = { kind: "missing", reason: "not asked for" };
  beforeAll(async () => {
    offer = await offerDocker();
  });
  afterAll(async () => {
    if (offer.kind === "ready") await offer.docker.close();
  });

  /** A runner whose image is the busybox of the tests, whatever the definition calls it. */
  async function bench(
    context: TestContext,
    facts: RunnerFacts = {},
  ): Promise<Bench & { readonly docker: TestDocker }> {
    if (offer.kind === "missing") return context.skip(offer.reason);
    const { docker } = offer;
    const started = await startBench({
      ...facts,
      options: {
        executor: { kind: "docker", images: { "shell:*": docker.image }, socketPath: docker.socketPath },
        ...facts.options,
      },
    });
    return Object.assign(started, { docker });
  }

  async function containers({ docker }: { readonly docker: TestDocker }): Promise<readonly string[]> {
    // Other test files may use the same Docker, with other images.
    const filters = { ancestor: [docker.image] };
    const all = await new Docker({ socketPath: docker.socketPath }).listContainers({ all: true, filters });
    return all.map(({ Names }) => Names.join());
  }

  const shell = (script: string): { readonly containerOverrides: { readonly command: string[] } } => ({
    containerOverrides: { command: ["sh", "-c", script] },
  });

  it("run their command, keep its output, and leave no container behind", async (context) => {
    const it = await bench(context);
    const done = await it.until(
      await it.submit("", shell("echo out; echo err >&2; echo $AWS_BATCH_JOB_ATTEMPT")),
    );
    expect(done).toMatchObject({ status: "SUCCEEDED", container: { exitCode: 0 } });
    expect(it.log(done).split("\n").toSorted()).toEqual(["", "1", "err", "out"]);
    const failed = await it.until(await it.submit("", shell("exit 7")));
    expect(failed).toMatchObject({ status: "FAILED", container: { exitCode: 7 } });
    expect(await containers(it)).toEqual([]);
  });

  it("reach services on the machine's loopback", async (context) => {
    const it = await bench(context);
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.end("yes");
    });
    onTestFinished(() => void server.close());
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const job = await it.until(
      await it.submit("", shell(`busybox wget -q -O - http://127.0.0.1:${port}/from-a-job`)),
    );
    expect(it.log(job)).toBe("yes");
    expect(asked).toEqual(["/from-a-job"]);
  });

  it("have the user, file system, mounts and limits of their definition", async (context) => {
    const shared = temporaryFolder("batch-mount");
    mkdirSync(join(shared, "in"));
    mkdirSync(join(shared, "out"), { mode: 0o777 });
    writeFileSync(join(shared, "in/given"), "given\n");
    const it = await bench(context, {
      container: {
        User: "root",
        ReadonlyRootFilesystem: true,
        Ulimits: [{ Name: "nofile", SoftLimit: 77, HardLimit: 88 }],
        Volumes: [
          { Name: "in", Host: { SourcePath: join(shared, "in") } },
          { Name: "out", Host: { SourcePath: join(shared, "out") } },
          { Name: "scratch" },
        ],
        MountPoints: [
          { SourceVolume: "in", ContainerPath: "/in", ReadOnly: true },
          { SourceVolume: "out", ContainerPath: "/out" },
          { SourceVolume: "scratch", ContainerPath: "/scratch" },
        ],
        LinuxParameters: {
          InitProcessEnabled: true,
          SharedMemorySize: 32,
          Tmpfs: [{ ContainerPath: "/tmp", Size: 8, MountOptions: ["noexec"] }],
        },
      },
    });
    const script = [
      "echo user $(id -u)",
      "echo nofile $(ulimit -S -n) $(ulimit -H -n)",
      "touch /here 2>/dev/null || echo root is read-only",
      "touch /in/here 2>/dev/null || echo in is read-only",
      "cat /in/given; touch /scratch/here; echo written > /out/written",
      "echo tmp $(df -m /tmp | busybox awk 'NR==2 {print $2}')",
      "echo shm $(df -m /dev/shm | busybox awk 'NR==2 {print $2}')",
      "echo init $(cat /proc/1/comm)",
      "echo cpu $(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max)",
    ].join("\n");
    const job = await it.until(await it.submit("", shell(script)));
    expect(job.status).toBe("SUCCEEDED");
    const lines = it.log(job).trim().split("\n");
    expect(lines).toEqual([
      "user 0",
      "nofile 77 88",
      "root is read-only",
      "in is read-only",
      "given",
      "tmp 8",
      "shm 32",
      expect.stringMatching(/^init (docker-init|tini)$/),
      expect.stringMatching(/^cpu 100000\b/),
    ]);
    expect(readFileSync(join(shared, "out/written"), "utf8")).toBe("written\n");
  });

  it("run as the user of their definition", async (context) => {
    const it = await bench(context, { container: { User: "worker" } });
    const job = await it.until(await it.submit("", shell("id -u")));
    expect(it.log(job)).toBe("1000\n");
  });

  it("die where they take more memory than they asked for, with AWS's reason", async (context) => {
    const it = await bench(context);
    const job = await it.until(await it.submit("", shell("x=aaaaaaaa; while true; do x=$x$x; done")));
    expect(job).toMatchObject({
      status: "FAILED",
      container: { exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" },
    });
  });

  it("fail to start without their image", async (context) => {
    const it = await bench(context, { container: { Image: "gymline-test-none:1" } });
    const job = await it.until(await it.submit("", shell("true")));
    expect(job).toMatchObject({ status: "FAILED", statusReason: "Task failed to start" });
    expect(job.container?.reason).toContain("CannotPullContainerError");
  });

  it("fail to start where their command is not in the image, and leave no container", async (context) => {
    const it = await bench(context);
    const job = await it.until(await it.submit("", { containerOverrides: { command: ["/no/such"] } }));
    expect(job).toMatchObject({ status: "FAILED", statusReason: "Task failed to start" });
    expect(await containers(it)).toEqual([]);
  });

  it("are ended by time-outs and by their user, gently and then not", async (context) => {
    const it = await bench(context);
    const gentle = await it.submit("", {
      ...shell("trap 'echo asked; exit 5' TERM; sleep 60 & wait"),
      timeout: { attemptDurationSeconds: 1 },
    });
    const deaf = await it.submit("", shell("trap '' TERM; sleep 60 & wait; sleep 60"));
    await it.until(deaf, "RUNNING");
    await it.client.send(new TerminateJobCommand({ jobId: deaf, reason: "enough" }));
    const timedOut = await it.until(gentle);
    expect(timedOut).toMatchObject({
      statusReason: "Job attempt duration exceeded timeout",
      container: { exitCode: 5 },
    });
    expect(it.log(timedOut)).toContain("asked");
    expect(await it.until(deaf)).toMatchObject({ statusReason: "enough", container: { exitCode: 137 } });
  });

  it("that run are found again by the next runner, which learns how they end", async (context) => {
    if (offer.kind === "missing") return context.skip(offer.reason);
    const { docker } = offer;
    const stateFolder = temporaryFolder("batch-state");
    const args = ["--map", `shell:latest=${docker.image}`];
    const env = { DOCKER_HOST: `unix://${docker.socketPath}` };
    const first = await RunnerProgram.start({ stateFolder, args, env });
    const going = await first.bench.submit("", shell("echo one; sleep 3; echo two; exit 4"));
    const quick = await first.bench.submit("", shell("sleep 0.7; exit 3"));
    for (const id of [going, quick]) await first.bench.until(id, "RUNNING");
    await first.end("SIGKILL");
    expect(await containers({ docker })).toHaveLength(2);
    const second = await RunnerProgram.start({ stateFolder, args, env });
    const job = await second.bench.until(going);
    expect(job).toMatchObject({ status: "FAILED", container: { exitCode: 4 } });
    expect(job.attempts).toHaveLength(1);
    expect(second.bench.log(job)).toBe("one\ntwo\n");
    expect(await second.bench.until(quick)).toMatchObject({ container: { exitCode: 3 } });
    await second.end("SIGTERM");
  });
});
