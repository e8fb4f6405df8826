import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runPipeline } from "../../shared/adapters/local/run-pipeline.ts";
import { treeHash } from "../acceptance/stored.ts";
import { type DockerOffer, offerDocker } from "./docker.ts";

const root = resolve(import.meta.dirname, "../..");
const BASE = "gymline-test-node:24";
const IMAGE = "gymline-test-job:latest";

/** What stands in the place of `node:24-bookworm-slim`, which comes from a registry: this machine's own Node and npm. */
function baseRoot(folder: string): void {
  const node = resolve(root, "node_modules/node/bin/node");
  const npm = resolve(execFileSync("npm", ["root", "--global"], { encoding: "utf8" }).trim(), "npm");
  for (const path of ["bin", "usr/bin", "tmp", "etc/ssl/certs", "proc", "root", "usr/lib/node_modules"]) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  copyFileSync("/bin/busybox", join(folder, "bin/busybox"));
  for (const applet of ["sh", "env", "mkdir", "rm", "cat", "ls", "uname"]) {
    symlinkSync("busybox", join(folder, "bin", applet));
  }
  symlinkSync("/bin/env", join(folder, "usr/bin/env"));
  copyFileSync(node, join(folder, "usr/bin/node"));
  cpSync(npm, join(folder, "usr/lib/node_modules/npm"), { recursive: true, dereference: true });
  symlinkSync("/usr/lib/node_modules/npm/bin/npm-cli.js", join(folder, "usr/bin/npm"));
  for (const library of libraries(node)) {
    mkdirSync(join(folder, dirname(library)), { recursive: true });
    copyFileSync(realpathSync(library), join(folder, library));
  }
  // Names of hosts are looked up by libraries that no program names.
  const places = ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"];
  for (const path of places) if (existsSync(path)) copyFileSync(path, join(folder, path));
  writeFileSync(
    join(folder, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/tmp:/bin/sh\n",
  );
  // Where packages come from on this machine.
  const settings = JSON.parse(execFileSync("npm", ["config", "list", "--json"], { encoding: "utf8" }));
  const cafile = settings["cafile"] ?? process.env["NODE_EXTRA_CA_CERTS"];
  if (typeof cafile === "string" && existsSync(cafile))
    copyFileSync(cafile, join(folder, "etc/ssl/certs/own.crt"));
  const lines = [`registry=${settings["registry"]}`];
  if (typeof cafile === "string") lines.push("cafile=/etc/ssl/certs/own.crt");
  writeFileSync(join(folder, "root/.npmrc"), `${lines.join("\n")}\n`);
}

function libraries(program: string): readonly string[] {
  const out = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...out.matchAll(/(\/\S+\.so\S*)/g)].map(([, path = ""]) => path);
}

describe("the image of Batch jobs", () => {
  let offer: DockerOffer;
  const folder = mkdtempSync(join(tmpdir(), "gymline-job-image-"));
  const docker = (...args: readonly string[]): string => {
    if (offer.kind === "missing") throw new Error(offer.reason);
    return execFileSync("docker", [...args], {
      encoding: "utf8",
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 64 << 20,
      // The older builder needs nothing but the daemon.
      env: { ...process.env, DOCKER_HOST: `unix://${offer.docker.socketPath}`, DOCKER_BUILDKIT: "0" },
    });
  };

  beforeAll(async () => {
    offer = await offerDocker();
    if (offer.kind === "missing") return;
    const base = join(folder, "base");
    baseRoot(base);
    const archive = join(folder, "base.tar");
    execFileSync("tar", ["-C", base, "-cf", archive, "."]);
    docker("import", "--change", "ENV PATH=/usr/bin:/bin", archive, BASE);
    docker(
      ...["build", "--network", "host", "--build-arg", `BASE=${BASE}`, "--tag", IMAGE],
      ...["--file", "containers/gymline/Dockerfile", "."],
    );
  }, 600_000);

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
