import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { ObjectNotFoundError, type ObjectStore, type ObjectWriter } from "../../ports/object-store.ts";

/** A key that would leave the store's folder, or that no file system can hold. */
export class InvalidKeyError extends Error {
  override readonly name = "InvalidKeyError";
  readonly key: string;
  constructor(key: string, reason: string) {
    super(`"${key}" is no valid key: ${reason}`);
    this.key = key;
  }
}

/**
 * Object store in a folder. Objects are written beside (`.tmp/`) and moved into place, so that a process killed
 * at any moment leaves whole objects only; leftovers in `.tmp/` are removed at the next start. Calls are
 * synchronous inside: one small object takes less time to write than a trip through the thread pool.
 */
export class DirectoryStore implements ObjectStore {
  readonly root: string;
  readonly #tmp: string;
  readonly #folders = new Set<string>();
  #ordinal = 0;
  readonly #tag = randomUUID().slice(0, 8);

  constructor(root: string) {
    this.root = root;
    this.#tmp = join(root, ".tmp");
    mkdirSync(this.#tmp, { recursive: true });
  }

  /** Removes what a killed process left half written. Only for the one writer of the store. */
  sweep(): void {
    rmSync(this.#tmp, { recursive: true, force: true });
    mkdirSync(this.#tmp, { recursive: true });
  }

  pathOf(key: string): string {
    return join(this.root, ...safeSegments(key));
  }

  async read(key: string): Promise<Uint8Array> {
    try {
      return readFileSync(this.pathOf(key));
    } catch (cause) {
      if (isMissing(cause)) throw new ObjectNotFoundError(key, { cause });
      throw cause;
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const place = this.#place(key);
    renameSync(this.#write(bytes), place);
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    const place = this.#place(key);
    if (existsSync(place)) return "exists";
    const written = this.#write(bytes);
    try {
      linkSync(written, place);
      return "created";
    } catch (cause) {
      if (isCode(cause, "EEXIST")) return "exists";
      throw cause;
    } finally {
      unlinkSync(written);
    }
  }

  async writer(key: string): Promise<ObjectWriter> {
    const place = this.#place(key);
    const path = this.#temporary();
    const stream = createWriteStream(path, { flags: "wx", highWaterMark: 1 << 20 });
    const failed = new Promise<never>((_, reject) => stream.once("error", reject));
    failed.catch(() => undefined);
    await Promise.race([once(stream, "open"), failed]);
    return {
      write: async (bytes) => {
        if (!stream.write(bytes)) await Promise.race([once(stream, "drain"), failed]);
      },
      finish: async () => {
        stream.end();
        await Promise.race([once(stream, "close"), failed]);
        const file = openSync(path, "r+");
        fsyncSync(file);
        closeSync(file);
        renameSync(path, place);
      },
      abort: async () => {
        stream.destroy();
        rmSync(path, { force: true });
      },
    };
  }

  async exists(key: string): Promise<boolean> {
    return existsSync(this.pathOf(key));
  }

  async *list(prefix: string): AsyncIterable<{ readonly key: string; readonly size: number }> {
    const slash = prefix.lastIndexOf("/");
    yield* this.#walk(slash < 0 ? "" : prefix.slice(0, slash), prefix);
  }

  async remove(key: string): Promise<void> {
    rmSync(this.pathOf(key), { force: true });
  }

  stream(key: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.pathOf(key), { highWaterMark: 1 << 20 });
  }

  *#walk(folder: string, prefix: string): Generator<{ readonly key: string; readonly size: number }> {
    const path = folder === "" ? this.root : this.pathOf(folder);
    if (!existsSync(path)) return;
    const entries = readdirSync(path, { withFileTypes: true });
    // Folders sort as if they ended in "/", so that the walk yields keys in order.
    const named = entries.map((entry) => ({
      entry,
      order: entry.isDirectory() ? `${entry.name}/` : entry.name,
    }));
    named.sort((a, b) => (a.order < b.order ? -1 : 1));
    for (const { entry, order } of named) {
      const key = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (key === ".tmp") continue;
      if (entry.isDirectory()) {
        const whole = folder === "" ? order : `${folder}/${order}`;
        if (whole.startsWith(prefix) || prefix.startsWith(whole)) yield* this.#walk(key, prefix);
      } else if (key.startsWith(prefix)) {
        yield { key, size: statSync(join(path, entry.name)).size };
      }
    }
  }

  #place(key: string): string {
    const place = this.pathOf(key);
    const folder = dirname(place);
    if (!this.#folders.has(folder)) {
      mkdirSync(folder, { recursive: true });
      if (this.#folders.size > 10_000) this.#folders.clear();
      this.#folders.add(folder);
    }
    return place;
  }

  #temporary(): string {
    this.#ordinal += 1;
    return join(this.#tmp, `${process.pid}-${this.#tag}-${this.#ordinal}`);
  }

  #write(bytes: Uint8Array): string {
    const path = this.#temporary();
    const file = openSync(path, "wx");
    try {
      let at = 0;
      while (at < bytes.length) at += writeSync(file, bytes, at);
    } finally {
      closeSync(file);
    }
    return path;
  }
}

function safeSegments(key: string): string[] {
  const segments = key.split("/");
  for (const segment of segments) {
    if (segment === "" || segment === "." || segment === "..") {
      throw new InvalidKeyError(key, "it has an empty, `.` or `..` segment");
    }
    if (segment.includes("\0") || segment.includes("\\"))
      throw new InvalidKeyError(key, "it has a NUL or backslash");
  }
  return segments;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function isMissing(error: unknown): boolean {
  return isCode(error, "ENOENT") || isCode(error, "EISDIR") || isCode(error, "ENOTDIR");
}
