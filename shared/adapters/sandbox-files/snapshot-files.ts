import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, type ReadStream } from "node:fs";
import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { SandboxError } from "../../ports/sandbox.ts";

const SNAPSHOT = /^(\d{6})-([0-9a-f]{8})$/;
const ID = /^[A-Za-z0-9_-]+$/;

/** Where state of sandboxes lies unless told otherwise: in the user's own cache folder. */
export function defaultStateFolder(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env["XDG_CACHE_HOME"];
  return join(
    cache === undefined || cache === "" ? join(homedir(), ".cache") : cache,
    "gymline",
    "sandboxes",
  );
}

/**
 * Snapshots of workspaces, as tar archives on the host that nothing here ever unpacks:
 * `<folder>/<sandbox>/<expiry>/<number>-<random>.tar`. The expiry is the sandbox's, so that what a killed program left
 * behind can be told without asking an engine.
 */
export class SnapshotFiles {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Ids of a sandbox's snapshots, oldest first. */
  async list(sandbox: string): Promise<readonly string[]> {
    const folders = await names(this.#of(sandbox));
    const found = await Promise.all(folders.map((folder) => names(join(this.#of(sandbox), folder))));
    return found
      .flat()
      .flatMap((name) => (name.endsWith(".tar") ? [name.slice(0, -4)] : []))
      .filter((name) => SNAPSHOT.test(name))
      .sort();
  }

  /** Writes what `fill` gives; a snapshot stands whole or not at all. */
  async write(request: {
    readonly sandbox: string;
    readonly expiresAt: number;
    /** Beyond it the snapshot is refused. */
    readonly maxBytes: number;
    readonly fill: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>;
  }): Promise<string> {
    const folder = join(this.#of(request.sandbox), String(request.expiresAt));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await this.#checkOwner();
    const last = (await this.list(request.sandbox)).at(-1);
    const number = last === undefined ? 1 : Number(last.slice(0, 6)) + 1;
    const id = `${String(number).padStart(6, "0")}-${randomUUID().slice(0, 8)}`;
    const path = join(folder, `${id}.tar`);
    const part = `${path}.part`;
    const file = createWriteStream(part, { flags: "wx", mode: 0o600 });
    let failure: Error | undefined;
    file.on("error", (error) => {
      failure = error;
    });
    let bytes = 0;
    try {
      await request.fill(async (chunk) => {
        if (failure !== undefined) throw failure;
        bytes += chunk.length;
        if (bytes > request.maxBytes) {
          const message = `the workspace is larger than ${request.maxBytes} bytes as an archive (sparse files count in full); remove what is not needed`;
          throw new SandboxError(message, { reason: "refused" });
        }
        await new Promise<void>((resolve, reject) => {
          file.write(chunk, (error) => (error === null || error === undefined ? resolve() : reject(error)));
        });
      });
      await new Promise<void>((resolve, reject) => {
        file.end((error?: Error | null) =>
          error === null || error === undefined ? resolve() : reject(error),
        );
      });
      await rename(part, path);
      return id;
    } catch (error) {
      file.destroy();
      await rm(part, { force: true });
      throw error;
    }
  }

  /** @throws SandboxError (`refused`) where there is no such snapshot */
  async read(sandbox: string, snapshot: string): Promise<ReadStream> {
    const folders = SNAPSHOT.test(snapshot) ? await names(this.#of(sandbox)) : [];
    for (const folder of folders) {
      const path = join(this.#of(sandbox), folder, `${snapshot}.tar`);
      const stats = await lstat(path).catch(() => undefined);
      if (stats?.isFile() === true) return createReadStream(path);
    }
    const known = await this.list(sandbox);
    const message = `sandbox ${sandbox} has no snapshot ${JSON.stringify(snapshot)}; it has ${known.join(", ") || "none"}`;
    throw new SandboxError(message, { reason: "refused" });
  }

  async drop(sandbox: string): Promise<void> {
    await rm(this.#of(sandbox), { recursive: true, force: true });
  }

  /** Removes what sandboxes left that are past their time. */
  async reap(now: number): Promise<void> {
    for (const sandbox of await names(this.#root)) {
      const folders = await names(join(this.#root, sandbox));
      const expiries = folders.map(Number);
      if (expiries.length > 0 && expiries.every((expiry) => expiry <= now)) {
        await rm(join(this.#root, sandbox), { recursive: true, force: true });
      }
    }
  }

  /** A folder that somebody else put there could show or change what agents see. */
  async #checkOwner(): Promise<void> {
    const stats = await lstat(this.#root);
    const user = process.getuid?.();
    if (stats.isDirectory() && (user === undefined || stats.uid === user)) return;
    const message = `${this.#root} belongs to another user; choose another folder for the state of sandboxes`;
    throw new SandboxError(message, { reason: "refused" });
  }

  #of(sandbox: string): string {
    if (!ID.test(sandbox)) {
      throw new SandboxError(`${JSON.stringify(sandbox)} is no id of a sandbox`, { reason: "refused" });
    }
    return join(this.#root, sandbox);
  }
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return [];
    throw error;
  }
}
