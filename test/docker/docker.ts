import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";

/** A Docker that tests may use, or why there is none. */
export type DockerOffer =
  | { readonly kind: "ready"; readonly docker: TestDocker }
  | { readonly kind: "missing"; readonly reason: string };

export interface TestDocker {
  readonly socketPath: string;
  /** An image with busybox and nothing else. */
  readonly image: string;
  /** Ends the daemon, if it is ours, with all it holds. */
  close(): Promise<void>;
}

const SYSTEM_SOCKET = "/var/run/docker.sock";
const APPLETS = ["sh", "sleep", "echo", "cat", "id", "touch", "true", "env", "ls", "wc", "df", "mount", "ps"];
/** Named by what is in it, so that it need not be made again. */
const IMAGE = `gymline-test-busybox:${createHash("sha256").update(APPLETS.join()).digest("hex").slice(0, 12)}`;
const PATIENCE_MS = 60_000;

/**
 * Gets Docker running: the machine's own, or a daemon of our own with all its data in a temporary folder, for which
 * root may install the packages it lacks. Under CI it is an error to have none: tests must not go missing there.
 */
export async function offerDocker(): Promise<DockerOffer> {
  try {
    return { kind: "ready", docker: await startDocker() };
  } catch (error) {
    const reason = `no Docker to test with: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env["CI"]) throw new Error(reason, { cause: error });
    process.stderr.write(`\n*** SKIPPING the tests with containers: ${reason}\n\n`);
    return { kind: "missing", reason };
  }
}

async function startDocker(): Promise<TestDocker> {
  const busybox = staticBusybox();
  if (await answers(SYSTEM_SOCKET)) {
    await importImage(SYSTEM_SOCKET, busybox);
    return { socketPath: SYSTEM_SOCKET, image: IMAGE, close: async () => undefined };
  }
  const daemon = await startDaemon();
  try {
    await importImage(daemon.socketPath, busybox);
  } catch (error) {
    await daemon.close();
    throw error;
  }
  return { ...daemon, image: IMAGE };
}

async function startDaemon(): Promise<Omit<TestDocker, "image">> {
  if (process.getuid?.() !== 0) throw new Error("none is running, and only root can start one");
  if (!has("dockerd") || !has("iptables")) install("docker.io", "iptables");
  const folder = mkdtempSync(join(tmpdir(), "gymline-docker-"));
  const socketPath = join(folder, "docker.sock");
  const log = join(folder, "dockerd.log");
  const output = openSync(log, "w");
  const args = [
    ...["--host", `unix://${socketPath}`, "--pidfile", join(folder, "dockerd.pid")],
    ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
    // Tests need no networks but the host's, so it leaves those of the machine alone.
    ...["--bridge", "none", "--iptables=false"],
  ];
  const daemon = spawn("dockerd", args, { stdio: ["ignore", output, output] });
  const exited = once(daemon, "exit");
  const close = async (): Promise<void> => {
    daemon.kill("SIGTERM");
    await exited;
    // It leaves the mount of its network namespace behind.
    for (const path of mountsIn(folder)) spawnSync("umount", [path]);
    rmSync(folder, { recursive: true, force: true });
  };
  const patience = Date.now() + PATIENCE_MS;
  while (!(await answers(socketPath))) {
    if (daemon.exitCode !== null || Date.now() > patience) {
      const tail = execFileSync("tail", ["-n", "5", log], { encoding: "utf8" });
      await close();
      throw new Error(`dockerd does not come up: ${tail}`);
    }
    await delay(100);
  }
  return { socketPath, close };
}

function mountsIn(folder: string): readonly string[] {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  return mounts.map((line) => line.split(" ")[1] ?? "").filter((path) => path.startsWith(`${folder}/`));
}

/** No registry need be in reach: the image is made from the one program. */
async function importImage(socketPath: string, busybox: string): Promise<void> {
  const docker = new Docker({ socketPath });
  const there = await docker
    .getImage(IMAGE)
    .inspect()
    .catch(() => undefined);
  if (there !== undefined) return;
  const folder = mkdtempSync(join(tmpdir(), "gymline-image-"));
  try {
    const root = join(folder, "root");
    for (const path of ["bin", "tmp", "etc", "proc", "work"])
      mkdirSync(join(root, path), { recursive: true });
    await copyFile(busybox, join(root, "bin/busybox"));
    for (const applet of APPLETS) symlinkSync("busybox", join(root, "bin", applet));
    writeFileSync(
      join(root, "etc/passwd"),
      "root:x:0:0:root:/:/bin/sh\nworker:x:1000:1000:worker:/:/bin/sh\n",
    );
    const archive = join(folder, "image.tar");
    execFileSync("tar", ["-C", root, "-cf", archive, "."]);
    const [repo, tag] = IMAGE.split(":");
    const progress = await docker.importImage(archive, { repo, tag });
    await text(progress);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function staticBusybox(): string {
  const path = "/bin/busybox";
  const isStatic = (): boolean => existsSync(path) && spawnSync("ldd", [path]).status !== 0;
  if (isStatic()) return path;
  if (process.getuid?.() !== 0) throw new Error("there is no static busybox; install busybox-static");
  install("busybox-static");
  if (isStatic()) return path;
  throw new Error("busybox-static brought no static /bin/busybox");
}

function install(...packages: readonly string[]): void {
  if (!has("apt-get")) throw new Error(`there is no ${packages.join(", ")}, and no apt-get to install it`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args: readonly string[]): boolean =>
    spawnSync("apt-get", ["-q", ...args], { env, stdio: "pipe", timeout: 240_000 }).status === 0;
  // The lists of a fresh machine are empty or old.
  if (apt("install", "-y", "--no-install-recommends", ...packages)) return;
  if (apt("update") && apt("install", "-y", "--no-install-recommends", ...packages)) return;
  throw new Error(`apt-get cannot install ${packages.join(", ")}`);
}

function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

async function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return false;
  return new Docker({ socketPath, timeout: 5_000 }).ping().then(
    () => true,
    () => false,
  );
}
