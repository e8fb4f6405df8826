import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { withLock } from "../../infra/local/folder-lock.ts";

const root = resolve(import.meta.dirname, "../..");
const LOCK = join(tmpdir(), "gymline-job-image.lock");
export const JOB_IMAGE = "gymline-test-job:latest";

type DockerCommand = (...args: readonly string[]) => string;

/** Builds the image of jobs as a deployment does, on a base made here; what has not changed is not built anew. */
export async function buildJobImage(docker: DockerCommand): Promise<void> {
  // Of two test files that ask at once, the second finds what the first has built.
  await withLock(LOCK, async () => build(docker));
}

function build(docker: DockerCommand): void {
  using folder = mkdtempDisposableSync(join(tmpdir(), "gymline-job-image-"));
  const base = join(folder.path, "base");
  baseRoot(base);
  // An import is a new image even if it brings the same files, and what is built on it would be built anew.
  const image = `gymline-test-node:${digestOf(base)}`;
  if (docker("images", "--quiet", image) === "") {
    const archive = join(folder.path, "base.tar");
    execFileSync("tar", ["-C", base, "-cf", archive, "."]);
    docker("import", "--change", "ENV PATH=/usr/bin:/bin", archive, image);
  }
  docker(
    ...["build", "--network", "host", "--build-arg", `BASE=${image}`, "--tag", JOB_IMAGE],
    // The base made here knows no packages.
    ...["--build-arg", "PACKAGES="],
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

/** What stands in the place of `node:24-bookworm-slim`, which comes from a registry: this machine's own Node and npm. */
function baseRoot(folder: string): void {
  const node = resolve(root, "node_modules/node/bin/node");
  const program = execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim();
  // Where Node comes as a package, npm's own idea of the global folder is another.
  const npm = dirname(dirname(realpathSync(program)));
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

/** Names the files of a folder and what they hold. */
function digestOf(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(`${relative(folder, file)}\n`).update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

function libraries(program: string): readonly string[] {
  const out = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...out.matchAll(/(\/\S+\.so\S*)/g)].map(([, path = ""]) => path);
}
