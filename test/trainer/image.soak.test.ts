import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { ubuntuBase } from "../docker/base-images.ts";
import { type DockerOffer, offerDocker } from "../docker/docker.ts";
import { dockerCommand } from "../docker/job-image.ts";

const exec = promisify(execFile);
const trainer = resolve(import.meta.dirname, "../../containers/trainer");
const IMAGE = "gymline-test-trainer:latest";
const PACKAGES = "gymline-test-trainer-packages:latest";
const BUILD_MS = 3_000_000;

/** What the image is for, and no more than that: no network, no rights, nothing that can be written to but /tmp. */
const HARDENED = [
  "--rm",
  "--init",
  "--network",
  "none",
  "--read-only",
  "--tmpfs",
  "/tmp",
  "--cap-drop",
  "ALL",
];

/** Builds the image for real, with CUDA's packages: some 6 GB, which are removed again. There is no GPU here. */
describe("the trainer's image", () => {
  let offer: DockerOffer = { kind: "missing", reason: "not asked for" };
  const work = mkdtempSync(join(tmpdir(), "gymline-trainer-image-"));

  const docker = async (...args: readonly string[]): Promise<{ stdout: string; stderr: string }> => {
    if (offer.kind === "missing") throw new Error(offer.reason);
    const env = { ...process.env, DOCKER_HOST: `unix://${offer.docker.socketPath}`, DOCKER_BUILDKIT: "0" };
    return exec("docker", [...args], { env, maxBuffer: 1 << 26 });
  };
  const python = async (...args: readonly string[]): Promise<string> =>
    (await docker("run", ...HARDENED, "--entrypoint", "python", IMAGE, ...args)).stdout;

  beforeAll(async () => {
    offer = await offerDocker();
    if (offer.kind === "missing") return;
    await chmod(work, 0o777);
    const base = ubuntuBase(dockerCommand(offer.docker.socketPath));
    const build = ["build", "--network", "host", "--build-arg", `BASE=${base}`];
    // The stage of packages has a name, so that it can be removed: it is as large again.
    await docker(...build, "--target", "packages", "--tag", PACKAGES, trainer);
    await docker(...build, "--tag", IMAGE, trainer);
  }, BUILD_MS);

  beforeEach((context) => {
    if (offer.kind === "missing") context.skip(offer.reason);
  });

  afterAll(async () => {
    rmSync(work, { recursive: true, force: true });
    if (offer.kind === "missing") return;
    await docker("rmi", IMAGE, PACKAGES);
    await offer.docker.close();
  });

  it("is the program of jobs, as nobody special on a root file system that it cannot write to", async () => {
    expect((await docker("run", ...HARDENED, IMAGE)).stdout).toMatch(/^usage: job\.py \[-h\] plan/);
    expect(
      await python("-c", "import os; print(os.getuid(), os.getcwd(), os.listdir('/app/configs') != [])"),
    ).toBe("1000 /app True\n");
    await expect(docker("run", ...HARDENED, IMAGE, "/plan.json")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("a plan lies in S3"),
    });
  });

  it("has packages that fit together, for the CUDA version of the base that it names", async () => {
    expect(await python("-m", "pip", "check")).toBe("No broken requirements found.\n");
    const [, cuda] =
      /^ARG BASE=nvidia\/cuda:(\d+\.\d+)\./m.exec(readFileSync(join(trainer, "Dockerfile"), "utf8")) ?? [];
    expect(await python("-c", "import torch; print(torch.version.cuda)")).toBe(`${cuda}\n`);
  });

  it("trains and exports with its own packages alone", async () => {
    const volumes = ["--volume", `${work}:/work`, "--volume", `${import.meta.dirname}:/tests:ro`];
    const run = ["run", ...HARDENED, "--shm-size", "256m", ...volumes, "--entrypoint", "python"];
    const make = `import pathlib, runs, tiny
work = pathlib.Path("/work")
tiny.saved(work / "model")
runs.dataset(work / "data", "sft")`;
    await docker(...run, "--env", "PYTHONPATH=/tests:/app", IMAGE, "-c", make);
    const places = ["--data", "/work/data", "--model", "/work/model", "--out", "/work/out"];
    const options = ["max_steps=2", "batch_size=1", "export=onnx"].flatMap((option) => ["--set", option]);
    const { stderr } = await docker(...run, IMAGE, "sft.py", ...places, ...options);
    expect(stderr).toContain("done: /work/out/trained");
    const parsed = (name: string): unknown => JSON.parse(readFileSync(join(work, "out", name), "utf8"));
    expect(z.object({ algorithm: z.string(), steps: z.int() }).parse(parsed("run.json"))).toEqual({
      algorithm: "sft",
      steps: 2,
    });
    expect(parsed("training.json")).toMatchObject({ schema: "gymline.training.v1" });
    for (const file of ["trained/model.safetensors", "model/model.safetensors", "onnx/onnx/model_q4.onnx"]) {
      expect([file, existsSync(join(work, "out", file))]).toEqual([file, true]);
    }
  });
});
