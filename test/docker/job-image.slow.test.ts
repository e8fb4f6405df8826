import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runPipeline } from "../../shared/adapters/local/run-pipeline.ts";
import { treeHash } from "../acceptance/stored.ts";
import { offerSandboxDocker } from "../factories/sandbox-image.ts";
import type { DockerOffer } from "./docker.ts";
import { buildJobImage, dockerCommand, JOB_IMAGE } from "./job-image.ts";

const root = resolve(import.meta.dirname, "../..");
const IMAGE = JOB_IMAGE;

describe("the image of Batch jobs", () => {
  let offer: DockerOffer;
  const folder = mkdtempSync(join(tmpdir(), "gymline-job-image-"));
  const docker = (...args: readonly string[]): string => {
    if (offer.kind === "missing") throw new Error(offer.reason);
    return dockerCommand(offer.docker.socketPath)(...args);
  };

  beforeAll(async () => {
    offer = await offerSandboxDocker();
    if (offer.kind === "missing") return;
    await buildJobImage(docker);
  }, 900_000);

  beforeEach((context) => {
    if (offer.kind === "missing") context.skip(offer.reason);
  });

  afterAll(async () => {
    if (offer?.kind === "ready") await offer.docker.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const HARDENED = ["--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"];

  it("runs the program as nobody special, on a root file system that it cannot write to", () => {
    expect(docker("run", ...HARDENED, IMAGE)).toContain("Usage: gymline");
    expect(docker("run", ...HARDENED, "--entrypoint", "node", IMAGE, "-p", "process.getuid()").trim()).toBe(
      "1000",
    );
  });

  it("has git, which brings repositories into sandboxes, and nothing of apt's lists", () => {
    const said = docker(
      "run",
      ...HARDENED,
      "--entrypoint",
      "sh",
      IMAGE,
      "-c",
      "git --version; ls /var/lib/apt/lists",
    );
    expect(said).toMatch(/^git version \d[^\n]*\n$/);
  });

  it("makes of the samples what the program makes outside of it", async () => {
    const out = join(folder, "out");
    const own = join(folder, "own");
    mkdirSync(out, { mode: 0o777 });
    execFileSync("chmod", ["777", out]);
    const samples = join(root, "shared/samples/drop");
    const volumes = ["--volume", `${samples}:/drop:ro`, "--volume", `${out}:/out`];
    // Some of the samples are bad on purpose: exit code 2.
    expect(() =>
      docker(
        "run",
        ...HARDENED,
        ...volumes,
        IMAGE,
        "run",
        "/drop",
        "--out",
        "/out",
        "--jobs",
        "1",
        "--success",
        "any",
        "--json",
      ),
    ).toThrow(expect.objectContaining({ status: 2 }));
    await runPipeline({ drop: samples, out: own, threads: 1, dataset: null });
    for (const part of ["trajectories", "scores", "rejected"]) {
      expect(treeHash(join(out, part))).toBe(treeHash(join(own, part)));
    }
  });

  it("says what its environment lacks where it is no job of a deployment", () => {
    expect(() => docker("run", ...HARDENED, IMAGE, "job", "ingest", "--key", "a")).toThrow(
      /GYMLINE_DROP_BUCKET/,
    );
  });

  it("holds no sources, tests, settings or development tools", () => {
    const listing = docker("run", ...HARDENED, "--entrypoint", "ls", IMAGE, "/app", "/app/node_modules");
    expect(listing).not.toMatch(/typescript|vitest|aws-cdk|^test$|^shared$/m);
    expect(readFileSync(join(root, ".dockerignore"), "utf8").startsWith("*\n")).toBe(true);
  });
});
