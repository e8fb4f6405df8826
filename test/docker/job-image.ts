import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { withLock } from "../../infra/local/folder-lock.ts";
import { debianBase } from "./base-images.ts";

const root = resolve(import.meta.dirname, "../..");
const LOCK = join(tmpdir(), "gymline-job-image.lock");
const BASE = "gymline-test-node:24";
export const JOB_IMAGE = "gymline-test-job:latest";

type DockerCommand = (...args: readonly string[]) => string;

/**
 * Builds the image of jobs as a deployment does, on a base made here, for which the image of sandboxes must be there
 * (factories/sandbox-image.ts); what has not changed is not built anew.
 */
export async function buildJobImage(docker: DockerCommand): Promise<void> {
  // Of two test files that ask at once, the second finds what the first has built.
  await withLock(LOCK, async () => build(docker));
}

function build(docker: DockerCommand): void {
  using folder = mkdtempDisposableSync(join(tmpdir(), "gymline-job-image-"));
  nodeRoot(join(folder.path, "root"));
  writeFileSync(join(folder.path, "Dockerfile"), `FROM ${debianBase(docker)}\nWORKDIR /\nCOPY root /\n`);
  docker("build", "--quiet", "--tag", BASE, folder.path);
  docker(
    ...["build", "--network", "host", "--build-arg", `BASE=${BASE}`, "--tag", JOB_IMAGE],
    ...["--file", "containers/gymline/Dockerfile", "."],
  );
}

/** The command line of Docker, from the repository's root. */
export function dockerCommand(socketPath: string): DockerCommand {
  return (...args) =>
    execFileSync("docker", [...args], {
      encoding: "utf8",
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 64 << 20,
      // The older builder needs nothing but the daemon.
      env: { ...process.env, DOCKER_HOST: `unix://${socketPath}`, DOCKER_BUILDKIT: "0" },
    });
}

/** What `node:24-bookworm-slim`, which comes from a registry, has beyond Debian: this machine's own Node and npm. */
function nodeRoot(folder: string): void {
  const program = execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim();
  // Where Node comes as a package, npm's own idea of the global folder is another.
  const npm = dirname(dirname(realpathSync(program)));
  for (const path of ["usr/local/bin", "usr/local/lib/node_modules", "etc/ssl/certs", "root"]) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  copyFileSync(resolve(root, "node_modules/node/bin/node"), join(folder, "usr/local/bin/node"));
  cpSync(npm, join(folder, "usr/local/lib/node_modules/npm"), { recursive: true, dereference: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(folder, "usr/local/bin/npm"));
  // Where packages come from on this machine.
  const settings = JSON.parse(execFileSync("npm", ["config", "list", "--json"], { encoding: "utf8" }));
  const cafile = settings["cafile"] ?? process.env["NODE_EXTRA_CA_CERTS"];
  if (typeof cafile === "string" && existsSync(cafile))
    copyFileSync(cafile, join(folder, "etc/ssl/certs/own.crt"));
  const lines = [`registry=${settings["registry"]}`];
  if (typeof cafile === "string") lines.push("cafile=/etc/ssl/certs/own.crt");
  writeFileSync(join(folder, "root/.npmrc"), `${lines.join("\n")}\n`);
}
