import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import Docker from "dockerode";
import { SandboxError } from "../../ports/sandbox.ts";
import { dockerFault } from "./docker-fault.ts";

export interface DebianImageOptions {
  /** Name and tag of the image. */
  readonly image: string;
  /** Debian packages beside the essential ones. */
  readonly packages: readonly string[];
  readonly suite: string;
  /** Address of a Debian mirror. */
  readonly mirror: string;
  readonly socketPath?: string;
  /** Told what is under way, a line at a time. */
  readonly onLine?: (line: string) => void;
}

export const DEBIAN_IMAGE = {
  packages: ["git", "python3", "python3-pytest", "patch", "procps"],
  suite: "bookworm",
  mirror: "http://deb.debian.org/debian",
} as const;

/** Of the image that lets sandboxes with an allow-list out. */
export const EGRESS_PACKAGES = ["squid", "socat", "iproute2"] as const;

/** What no sandbox reads; it would be a third of the image. */
const LEFT_OUT = ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"];

/**
 * Builds an image for sandboxes from Debian packages, for machines that reach a Debian mirror and no registry. It
 * needs root and debootstrap. Gives the image's id.
 *
 * @throws SandboxError
 */
export async function buildDebianImage(options: DebianImageOptions): Promise<string> {
  const { image, packages, suite, mirror, socketPath } = options;
  if (process.getuid?.() !== 0) throw unavailable("debootstrap needs root; run this as root");
  const folder = await mkdtemp(join(tmpdir(), "gymline-debian-"));
  try {
    const root = join(folder, "root");
    const include = packages.length === 0 ? [] : [`--include=${packages.join(",")}`];
    await debootstrap(["--variant=minbase", ...include, suite, root, mirror], options.onLine);
    for (const path of LEFT_OUT) await rm(join(root, path), { recursive: true, force: true });
    const docker = socketPath === undefined ? new Docker() : new Docker({ socketPath });
    const colon = image.lastIndexOf(":");
    const name =
      colon > image.lastIndexOf("/") ? [image.slice(0, colon), image.slice(colon + 1)] : [image, "latest"];
    const tar = spawn("tar", ["-c", "-f", "-", "-C", root, "."], { stdio: ["ignore", "pipe", "inherit"] });
    const packed = ended(tar);
    packed.catch(() => undefined);
    const answer = await docker.importImage(tar.stdout, {
      repo: name[0],
      tag: name[1],
      // The PATH of Debian's own images.
      changes: [
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "ENV LANG=C.UTF-8",
        "WORKDIR /workspace",
      ],
    });
    const said = await text(answer);
    const code = await packed;
    if (code !== 0) throw unavailable(`tar ended with code ${code}`);
    const fault = /"error":"((?:[^"\\]|\\.)*)"/.exec(said)?.[1];
    if (fault !== undefined) throw unavailable(`Docker does not take it: ${fault}`);
    return (await docker.getImage(image).inspect()).Id;
  } catch (error) {
    throw dockerFault(`the image ${image} cannot be built`, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function debootstrap(args: readonly string[], onLine: DebianImageOptions["onLine"]): Promise<void> {
  const child = spawn("debootstrap", [...args], { stdio: ["ignore", "pipe", "pipe"] });
  let tail = "";
  const take = (chunk: Buffer): void => {
    const lines = `${tail}${chunk}`.split("\n");
    tail = lines.pop() ?? "";
    for (const line of lines) onLine?.(line);
    if (lines.length > 0) last = lines.filter((line) => line !== "").at(-1) ?? last;
  };
  let last = "";
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const code = await ended(child).catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw unavailable("debootstrap is not installed; apt-get install debootstrap brings it", cause);
    }
    throw cause;
  });
  if (code !== 0) throw unavailable(`debootstrap ended with code ${code}: ${last}`);
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("close", resolve).on("error", reject);
  });
}

function unavailable(message: string, cause?: unknown): SandboxError {
  return new SandboxError(message, { reason: "unavailable", cause });
}
