import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import { rolloutPlanKey } from "../../shared/contracts/keys.ts";
import { readRollout } from "../../shared/rollout/read-rollout.ts";
import { gymline } from "../cli/program.ts";
import { offerSandboxDocker } from "../factories/sandbox-image.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { eventually, startBench } from "../local-batch/batch-runner.ts";
import type { DockerOffer } from "./docker.ts";
import { buildJobImage, dockerCommand, JOB_IMAGE } from "./job-image.ts";

const SOCKET = "/var/run/docker.sock";

describe("a rollout in containers, with sandboxes beside it", () => {
  let offer: DockerOffer;

  beforeAll(async () => {
    offer = await offerSandboxDocker();
    if (offer.kind === "ready") await buildJobImage(dockerCommand(offer.docker.socketPath));
  }, 900_000);

  beforeEach((context) => {
    if (offer.kind === "missing") context.skip(offer.reason);
  });

  afterAll(async () => {
    if (offer?.kind === "ready") await offer.docker.close();
  });

  it("makes its sandboxes through the socket, and after a kill removes those it left and does the rest", async () => {
    if (offer.kind === "missing") return;
    const { socketPath } = offer.docker;
    const docker = new Docker({ socketPath });
    const folder = temporaryFolder("rollout");
    const tasks = ["a", "b"].map(
      (id) => `${JSON.stringify({ id, description: "say hi", test_command: "test -e hi" })}\n`,
    );
    writeFileSync(join(folder, "tasks.jsonl"), tasks.join(""));
    const turns = [
      { calls: [{ tool: "shell", params: { command: "sleep 3; touch hi" } }] },
      { calls: [{ tool: "submit" }] },
    ];
    writeFileSync(join(folder, "turns.json"), JSON.stringify(turns));
    const run = `docker-${process.pid}`;
    const shown = await gymline(
      [
        ...["rollout", "--cloud", "--env", "gymline/sandbox", "--agent", "scripted:turns.json"],
        ...["--tasks", "tasks.jsonl", "--run", run, "--seed", "5", "--dry-run", "--json"],
      ],
      { cwd: folder },
    );
    const data = join(folder, "data");
    mkdirSync(data);
    const store = new DirectoryStore(join(data, "store"));
    await store.put(rolloutPlanKey(run), new TextEncoder().encode(shown.stdout));
    await store.put(`rollouts/${run}/tasks.jsonl`, new TextEncoder().encode(tasks.join("")));
    const bench = await startBench({
      // As the stack's own definition has it, with folders in place of buckets.
      container: {
        Image: "gymline:latest",
        User: "0:0",
        ReadonlyRootFilesystem: true,
        LinuxParameters: { InitProcessEnabled: true },
        ResourceRequirements: [
          { Type: "VCPU", Value: "1" },
          { Type: "MEMORY", Value: "1024" },
        ],
        Environment: [
          { Name: "GYMLINE_ROLLOUT_CONCURRENCY", Value: "1" },
          { Name: "GYMLINE_SANDBOX_VCPUS", Value: "1" },
          { Name: "GYMLINE_SANDBOX_MEMORY_MIB", Value: "1024" },
        ],
        Volumes: [
          { Name: "tmp", Host: {} },
          { Name: "docker", Host: { SourcePath: socketPath } },
          { Name: "data", Host: { SourcePath: data } },
        ],
        MountPoints: [
          { SourceVolume: "tmp", ContainerPath: "/tmp" },
          { SourceVolume: "docker", ContainerPath: SOCKET },
          { SourceVolume: "data", ContainerPath: "/data" },
        ],
      },
      properties: { RetryStrategy: { Attempts: 2 } },
      options: {
        executor: { kind: "docker", images: { "gymline:*": JOB_IMAGE }, socketPath },
        stopTimeout: 20,
      },
    });
    const places = ["--store", "/data/store", "--drop", "/data/drop"];
    const id = await bench.submit("", {
      containerOverrides: { command: ["job", "rollout", "--run", run, ...places] },
    });
    const sandboxes = async (): Promise<readonly string[]> => {
      const all = await docker.listContainers({ all: true, filters: { label: ["gymline.sandbox=gymline"] } });
      return all
        .filter(({ Labels }) => Labels["gymline.sandbox.spec"]?.includes(`"${run}/0"`))
        .map(({ Id }) => Id);
    };
    const [orphan] = await eventually(sandboxes, (found) => found.length === 1);
    const containers = await docker.listContainers();
    const job = containers.find(({ Command }) => Command.includes(`job rollout --run ${run}`));
    await docker.getContainer(job?.Id ?? "").kill({ signal: "SIGKILL" });
    const ended = await bench.ended(id);
    expect(bench.log(ended)).toContain('"exitCode":0');
    expect(ended).toMatchObject({ status: "SUCCEEDED", container: { exitCode: 0 } });
    expect(ended.attempts?.map(({ container }) => container?.exitCode)).toEqual([137, 0]);
    expect(bench.log(ended)).toContain(`"reaped":["${orphan?.slice(0, 12)}"]`);
    expect(await sandboxes()).toEqual([]);
    expect(await readRollout(store, run)).toMatchObject({ done: 2, failed: 0, succeeded: 2 });
    const dropped = join(data, `drop/default/rollouts/${run}`);
    expect(readdirSync(dropped).toSorted()).toEqual(["a.0.json", "b.0.json"]);
    expect(readFileSync(join(dropped, "a.0.json"), "utf8")).toContain('"success":true');
  }, 300_000);
});
