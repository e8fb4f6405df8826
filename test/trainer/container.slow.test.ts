import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { PythonEnvironment } from "../../infra/local/python-environment.ts";
import { DEFAULT_IMAGE } from "../../shared/sandbox/sandbox-limits.ts";
import type { DockerOffer } from "../docker/docker.ts";
import { offerSandboxDocker } from "../factories/sandbox-image.ts";
import { trainerEnvironment } from "./venv.ts";

const exec = promisify(execFile);
const scripts = resolve(import.meta.dirname, "../../containers/trainer");

/** What the trainer's image would have, this machine lends: its Python and the packages. */
const LENT = `
import json, os, sys
packages = dict.fromkeys(os.path.realpath(path) for path in sys.path if path.endswith("site-packages"))
base = os.path.realpath(sys.base_prefix)
print(json.dumps({"base": base, "name": "python%d.%d" % sys.version_info[:2], "packages": list(packages)}))`;
const lentSchema = z.object({ base: z.string(), name: z.string(), packages: z.array(z.string()) });

describe("the trainer in a container", () => {
  let offer: DockerOffer = { kind: "missing", reason: "not asked for" };
  let environment: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };
  const work = mkdtempSync(join(tmpdir(), "gymline-trainer-container-"));

  beforeAll(async () => {
    environment = await trainerEnvironment();
    if (environment.kind === "absent") return;
    offer = await offerSandboxDocker();
    const code = `import sys, pathlib, runs, tiny
work = pathlib.Path(sys.argv[1])
tiny.saved(work / "model")
runs.dataset(work / "data", "sft")`;
    const path = [import.meta.dirname, scripts].join(":");
    const env = { ...process.env, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: "1" };
    await exec(environment.python, ["-c", code, work], { env });
  });

  afterAll(async () => {
    if (offer.kind === "ready") await offer.docker.close();
    rmSync(work, { recursive: true, force: true });
  });

  it("trains two steps as nobody special, without a network, on a root file system that it cannot write to", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    if (offer.kind === "missing") return context.skip(offer.reason);
    const { python } = environment;
    const out = join(work, "out");
    mkdirSync(out);
    for (const folder of [work, out]) chmodSync(folder, 0o777);
    // Weights are written for their owner alone, who is another one in there.
    await exec("chmod", ["-R", "a+rX", join(work, "model"), join(work, "data")]);
    const { base, name, packages } = lentSchema.parse(JSON.parse((await exec(python, ["-c", LENT])).stdout));
    // Under paths of their own: a home folder of this machine may be one that others cannot enter.
    const volumes = [
      `${base}:/opt/python:ro`,
      ...packages.map((folder, index) => `${folder}:/opt/packages/${index}:ro`),
      ...[`${scripts}:/app:ro`, `${join(work, "model")}:/model:ro`, `${join(work, "data")}:/data:ro`],
      `${out}:/out`,
    ];
    const variables = [
      `PYTHONPATH=${packages.map((_, index) => `/opt/packages/${index}`).join(":")}`,
      ...[
        "LD_LIBRARY_PATH=/opt/python/lib",
        "HOME=/tmp",
        "USER=gymline",
        "GYMLINE_TRAINER_CACHE=/tmp/gymline",
      ],
      ...["HF_HUB_OFFLINE=1", "PYTHONDONTWRITEBYTECODE=1"],
    ];
    const { stderr } = await exec(
      "docker",
      [
        ...["run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"],
        ...["--user", "1000:1000", "--shm-size", "256m", "--memory", "4g", "--init"],
        ...volumes.flatMap((volume) => ["--volume", volume]),
        ...variables.flatMap((variable) => ["--env", variable]),
        ...["--workdir", "/app", "--entrypoint", `/opt/python/bin/${name}`],
        ...[DEFAULT_IMAGE, "sft.py", "--data", "/data", "--model", "/model", "--out", "/out"],
        ...["--set", "max_steps=2", "--set", "batch_size=1"],
      ],
      {
        env: { ...process.env, DOCKER_HOST: `unix://${offer.docker.socketPath}` },
        maxBuffer: 1 << 26,
      },
    );
    expect(stderr).toContain("done: /out/trained");
    const run = z.object({ algorithm: z.string(), steps: z.int() });
    expect(run.parse(JSON.parse(readFileSync(join(out, "run.json"), "utf8")))).toEqual({
      algorithm: "sft",
      steps: 2,
    });
    expect(readFileSync(join(out, "trained/model.safetensors")).length).toBeGreaterThan(1000);
  });
});
