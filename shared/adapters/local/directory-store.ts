import { randomUUID } from "node:crypto";
import {
  createReadStream,
  type Dirent,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InvalidKeyError, keySegments } from "../../ports/object-key.ts";
import { ObjectNotFoundError, type ObjectStore, type ObjectWriter } from "../../ports/object-store.ts";
import { FileWriter } from "./file-writer.ts";

/**
 * Object store in a folder. Objects are written beside (`.tmp/`) and moved into place, so that a process killed
 * at any moment leaves whole objects only; leftovers in `.tmp/` are removed at the next start. Files are written by
 * the calling thread: most are small and go to the system's cache, and handing each open, write and close to the
 * thread pool costs twice what they do.
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
  }

  /** Removes what a killed process left half written. Only for the one writer of the store. */
  sweep(): void {
    rmSync(this.#tmp, { recursive: true, force: true });
  }

  pathOf(key: string): string {
    const segments = keySegments(key);
    if (isReserved(key)) throw new InvalidKeyError(key, "the store keeps that name for itself");
    return join(this.root, ...segments);
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
    const place = await this.#place(key);
    const written = this.#write(bytes);
    try {
      renameSync(written, place);
    } catch (error) {
      rmSync(written, { force: true });
      throw error;
    }
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    const place = await this.#place(key);
    if (isFile(place)) return "exists";
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
    const place = await this.#place(key);
    return new FileWriter(this.temporary(), place);
  }

  async exists(key: string): Promise<boolean> {
    return isFile(this.pathOf(key));
  }

  async *list(prefix: string): AsyncIterable<{ readonly key: string; readonly size: number }> {
    const slash = prefix.lastIndexOf("/");
    yield* this.#walk(slash < 0 ? "" : prefix.slice(0, slash), prefix);
  }

  async remove(key: string): Promise<void> {
    rmSync(this.pathOf(key), { force: true });
  }

  async erase(key: string): Promise<void> {
    await this.remove(key);
  }

  async *stream(key: string): AsyncIterable<Uint8Array> {
    try {
      yield* createReadStream(this.pathOf(key), { highWaterMark: 1 << 20 });
    } catch (cause) {
      if (isMissing(cause)) throw new ObjectNotFoundError(key, { cause });
      throw cause;
    }
  }

  *#walk(folder: string, prefix: string): Generator<{ readonly key: string; readonly size: number }> {
    const path = folder === "" ? this.root : this.pathOf(folder);
    const entries = entriesOf(path);
    // Folders sort as if they ended in "/", so that the walk yields keys in order.
    const named = entries.map((entry) => ({
      entry,
      order: entry.isDirectory() ? `${entry.name}/` : entry.name,
    }));
    named.sort((a, b) => Buffer.compare(Buffer.from(a.order), Buffer.from(b.order)));
    for (const { entry, order } of named) {
      const key = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (isReserved(key)) continue;
      if (entry.isDirectory()) {
        const whole = folder === "" ? order : `${folder}/${order}`;
        if (whole.startsWith(prefix) || prefix.startsWith(whole)) yield* this.#walk(key, prefix);
      } else if (key.startsWith(prefix)) {
        // Another process may have removed it meanwhile.
        const stats = statSync(join(path, entry.name), { throwIfNoEntry: false });
        if (stats !== undefined) yield { key, size: stats.size };
      }
    }
  }

  async #place(key: string): Promise<string> {
    const place = this.pathOf(key);
    const folder = dirname(place);
    if (!this.#folders.has(folder)) {
      await mkdir(folder, { recursive: true });
      if (this.#folders.size > 10_000) this.#folders.clear();
      this.#folders.add(folder);
    }
    return place;
  }

  /** A path for a file of this process that is no object; what is left there is removed at the next start. */
  temporary(): string {
    if (this.#ordinal === 0) mkdirSync(this.#tmp, { recursive: true });
    this.#ordinal += 1;
    return join(this.#tmp, `${process.pid}-${this.#tag}-${this.#ordinal}`);
  }

  #write(bytes: Uint8Array): string {
    const path = this.temporary();
    try {
      writeFileSync(path, bytes, { flag: "wx" });
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
    return path;
  }
}

/** What lies beside the objects: `.tmp`, the lock and the catalog. */
function isReserved(key: string): boolean {
  return key.startsWith(".") || /^catalog\.sqlite(?:-\w+)?$/.test(key);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** None where there is no such folder. */
function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function isMissing(error: unknown): boolean {
  return isCode(error, "ENOENT") || isCode(error, "EISDIR") || isCode(error, "ENOTDIR");
}
