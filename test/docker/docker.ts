import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import Docker from "dockerode";
import { withLock } from "../../infra/local/folder-lock.ts";
import { answers, type Daemon, daemonOfRun, startDaemon } from "./daemon.ts";

/** A Docker that tests may use, or why there is none. */
export type DockerOffer =
  | { readonly kind: "ready"; readonly docker: TestDocker }
  | { readonly kind: "missing"; readonly reason: string };

export interface TestDocker {
  readonly socketPath: string;
  /** An image with busybox and nothing else. */
  readonly image: string;
  /** Ends the daemon, if it is this process's own, with all it holds. */
  close(): Promise<void>;
}

const SYSTEM_SOCKET = "/var/run/docker.sock";
const APPLETS = ["sh", "sleep", "echo", "cat", "id", "touch", "true", "env", "ls", "wc", "df", "mount", "ps"];
/** Named by what is in it, so that it need not be made again. */
const IMAGE = `gymline-test-busybox:${createHash("sha256").update(APPLETS.join()).digest("hex").slice(0, 12)}`;
const INSTALL_LOCK = join(tmpdir(), "gymline-install.lock");

/**
 * Gets Docker running: the machine's own, the one of this run of the tests, or a daemon of our own with all its data in
 * a temporary folder, for which root may install the packages it lacks. Under CI it is an error to have none: tests
 * must not go missing there.
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
  const busybox = await staticBusybox();
  if (await answers(SYSTEM_SOCKET)) {
    await importImage(SYSTEM_SOCKET, busybox);
    return { socketPath: SYSTEM_SOCKET, image: IMAGE, close: async () => undefined };
  }
  const daemon = await ownDaemon();
  try {
    await importImage(daemon.socketPath, busybox);
  } catch (error) {
    await daemon.close();
    throw error;
  }
  return { ...daemon, image: IMAGE };
}

async function ownDaemon(): Promise<Daemon> {
  if (process.getuid?.() !== 0) throw new Error("none is running, and only root can start one");
  if (!has("dockerd") || !has("iptables")) await install("docker.io", "iptables");
  return (await daemonOfRun()) ?? startDaemon(mkdtempSync(join(tmpdir(), "gymline-docker-")));
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

async function staticBusybox(): Promise<string> {
  const path = "/bin/busybox";
  const isStatic = (): boolean => existsSync(path) && spawnSync("ldd", [path]).status !== 0;
  if (isStatic()) return path;
  if (process.getuid?.() !== 0) throw new Error("there is no static busybox; install busybox-static");
  await install("busybox-static");
  if (isStatic()) return path;
  throw new Error("busybox-static brought no static /bin/busybox");
}

async function install(...packages: readonly string[]): Promise<void> {
  if (!has("apt-get")) throw new Error(`there is no ${packages.join(", ")}, and no apt-get to install it`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args: readonly string[]): boolean =>
    spawnSync("apt-get", ["-q", ...args], { env, stdio: "pipe", timeout: 240_000 }).status === 0;
  // Test files run side by side, and apt-get turns away whoever comes second.
  const done = await withLock(INSTALL_LOCK, async () => {
    // The lists of a fresh machine are empty or old.
    const add = (): boolean => apt("install", "-y", "--no-install-recommends", ...packages);
    return add() || (apt("update") && add());
  });
  if (!done) throw new Error(`apt-get cannot install ${packages.join(", ")}`);
}

function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}
