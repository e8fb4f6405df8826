import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const environment = { ...process.env, GIT_NO_LAZY_FETCH: "1", GIT_TERMINAL_PROMPT: "0" };

/** A repository as it was at one commit, read without a work tree. Call `close` when done. */
export class BareRepository {
  readonly #objects: ReadonlyMap<string, string>;
  readonly #reader: ObjectReader;
  /** Paths whose object the repository does not hold, as far as they were asked for. */
  readonly missing: string[] = [];

  private constructor(objects: ReadonlyMap<string, string>, reader: ObjectReader) {
    this.#objects = objects;
    this.#reader = reader;
  }

  static async open(folder: string, commit: string): Promise<BareRepository> {
    const listing = await run("git", ["--git-dir", folder, "ls-tree", "-r", "-z", commit], {
      maxBuffer: 1 << 28,
      env: environment,
    });
    const objects = new Map<string, string>();
    for (const line of listing.stdout.split("\0")) {
      const tab = line.indexOf("\t");
      if (tab > 0) objects.set(line.slice(tab + 1), line.slice(0, tab).split(" ")[2] ?? "");
    }
    return new BareRepository(objects, new ObjectReader(folder));
  }

  /** Paths that start and end so, in order. */
  paths(start: string, end = ""): readonly string[] {
    return [...this.#objects.keys()].filter((path) => path.startsWith(start) && path.endsWith(end)).sort();
  }

  /** Null where there is no such file or the repository does not hold its content. */
  async bytes(path: string): Promise<Buffer | null> {
    const object = this.#objects.get(path);
    if (object === undefined) return null;
    const bytes = await this.#reader.read(object);
    if (bytes === null) this.missing.push(path);
    return bytes;
  }

  async text(path: string): Promise<string | null> {
    return (await this.bytes(path))?.toString("utf8") ?? null;
  }

  /** The file as JSON, its type taken on trust; null where it is missing or broken. */
  async json<T = unknown>(path: string): Promise<T | null> {
    const text = await this.text(path);
    if (text === null) return null;
    try {
      return JSON.parse(text) as T;
    } catch {
      this.missing.push(path);
      return null;
    }
  }

  close(): void {
    this.#reader.close();
  }
}

/** `git cat-file --batch`, one object after the other. */
class ObjectReader {
  readonly #process;
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(folder: string) {
    this.#process = spawn("git", ["--git-dir", folder, "cat-file", "--batch"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: environment,
    });
    this.#chunks = this.#process.stdout[Symbol.asyncIterator]();
  }

  async read(object: string): Promise<Buffer | null> {
    this.#process.stdin.write(`${object}\n`);
    let newline = this.#buffer.indexOf(10);
    while (newline < 0) {
      await this.#more();
      newline = this.#buffer.indexOf(10);
    }
    const header = this.#buffer.subarray(0, newline).toString("utf8");
    this.#buffer = this.#buffer.subarray(newline + 1);
    const size = / blob (\d+)$/.exec(header)?.[1];
    if (size === undefined) return null;
    const length = Number(size);
    const parts: Buffer[] = [this.#buffer];
    let have = this.#buffer.length;
    while (have < length + 1) {
      const { value, done } = await this.#chunks.next();
      if (done === true) throw new Error("git cat-file ended early; is the repository whole?");
      parts.push(value);
      have += value.length;
    }
    const all = Buffer.concat(parts);
    this.#buffer = all.subarray(length + 1);
    return all.subarray(0, length);
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done === true) throw new Error("git cat-file ended early; is the repository whole?");
    this.#buffer = Buffer.concat([this.#buffer, value]);
  }

  close(): void {
    this.#process.stdin.end();
  }
}

/**
 * Where the bare repository lies: in a folder of mirrors (`owner+name/repo` or `owner/name.git`), or fetched
 * from a URL (only the one commit, without history) into `cache`.
 */
export async function locateRepository(options: {
  readonly from: string;
  readonly repository: string;
  readonly commit: string;
  readonly cache: string;
}): Promise<string> {
  const { from, repository, commit, cache } = options;
  if (!from.includes("://")) {
    const found = [join(from, repository.replace("/", "+"), "repo"), join(from, `${repository}.git`)].find(
      existsSync,
    );
    if (found === undefined)
      throw new Error(`no mirror of ${repository} below ${from}; leave --from out to fetch it`);
    return found;
  }
  const folder = join(cache, `${repository}.git`);
  if (!existsSync(join(folder, "fetched"))) {
    await mkdir(folder, { recursive: true });
    await run("git", ["init", "--bare", "--quiet", folder]);
    const url = `${from.replace(/\/$/, "")}/${repository}`;
    await run("git", ["--git-dir", folder, "fetch", "--quiet", "--depth", "1", url, commit], {
      env: environment,
    });
    await mkdir(join(folder, "fetched"));
  }
  return folder;
}
