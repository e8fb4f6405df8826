import { execFile, spawn } from "node:child_process";
import { lstat, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  type Checkout,
  type CheckoutRequest,
  type Repositories,
  RepositoryError,
} from "../../ports/repositories.ts";

const run = promisify(execFile);

const LARGEST_ANSWER = 1 << 20;

/**
 * Only paths are cloned, whatever a task says (`ext::…` would run a program), without the settings and hooks of
 * whoever runs this. One who never lived makes the commit that stands for a hidden history, always at one time, so
 * that its hash is always the same.
 */
const ENV = {
  GIT_ALLOW_PROTOCOL: "file",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_LFS_SKIP_SMUDGE: "1",
  GIT_AUTHOR_NAME: "task",
  GIT_AUTHOR_EMAIL: "task@localhost",
  GIT_AUTHOR_DATE: "2000-01-01T00:00:00Z",
  GIT_COMMITTER_NAME: "task",
  GIT_COMMITTER_EMAIL: "task@localhost",
  GIT_COMMITTER_DATE: "2000-01-01T00:00:00Z",
  COPYFILE_DISABLE: "1",
} as const;

/** Repositories on this machine, by way of the `git` and `tar` programs. */
export class GitRepositories implements Repositories {
  readonly #base: string;

  /** @param base folder that relative paths start from */
  constructor(base = ".") {
    this.#base = base;
  }

  async checkout<T>(
    request: CheckoutRequest,
    use: (checkout: Checkout) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const source = resolve(this.#base, request.repo);
    const stats = await lstat(source).catch(() => undefined);
    if (stats === undefined) {
      throw new RepositoryError(`there is no repository or bundle ${source}; clone it there first`);
    }
    const folder = await mkdtemp(join(tmpdir(), "gymline-repository-"));
    try {
      const git = new Git(request.repo, signal);
      const bare = join(folder, "bare");
      await git.do(["clone", "--quiet", "--bare", "--no-local", "--template=", "--", source, bare]);
      const commit = await git.commitOf(bare, request.commit ?? "HEAD");
      const tree = join(folder, "tree");
      await mkdir(tree);
      await git.do(["init", "--quiet", "--template=", "--initial-branch=main", "--", tree]);
      // Fetched anew by its hash, a commit brings what came before it and nothing that came after.
      const upload = ["--upload-pack", "git -c uploadpack.allowAnySHA1InWant=true upload-pack"];
      await git.do(["-C", tree, "fetch", "--quiet", "--no-tags", ...upload, "--", bare, commit]);
      await git.do(["-C", tree, "reset", "--quiet", "--hard", commit]);
      if (request.hideHistory) await hideHistory(git, tree);
      await rm(join(tree, ".git/FETCH_HEAD"), { force: true });
      await rm(bare, { recursive: true });
      return await use({ commit, archive: archiveOf(tree, signal) });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function hideHistory(git: Git, tree: string): Promise<void> {
  await rm(join(tree, ".git"), { recursive: true });
  await git.do(["init", "--quiet", "--template=", "--initial-branch=main", "--", tree]);
  // Files that the project ignores were in its commit if they are here.
  await git.do(["-C", tree, "add", "--all", "--force"]);
  await git.do(["-C", tree, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "base"]);
}

class Git {
  readonly #repo: string;
  readonly #signal: AbortSignal | undefined;

  constructor(repo: string, signal: AbortSignal | undefined) {
    this.#repo = repo;
    this.#signal = signal;
  }

  async do(args: readonly string[]): Promise<string> {
    try {
      const options = { env: { ...process.env, ...ENV }, maxBuffer: LARGEST_ANSWER };
      const withSignal = this.#signal === undefined ? options : { ...options, signal: this.#signal };
      return (await run("git", [...args], { ...withSignal, encoding: "utf8" })).stdout;
    } catch (cause) {
      this.#signal?.throwIfAborted();
      const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
      const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
      const why = missing ? "git is not installed" : said.split("\n").slice(-3).join("; ");
      throw new RepositoryError(`${this.#repo} cannot be checked out: ${why}`, { cause });
    }
  }

  async commitOf(bare: string, name: string): Promise<string> {
    try {
      const query = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
      return (await this.do(["-C", bare, ...query])).trim();
    } catch (cause) {
      this.#signal?.throwIfAborted();
      throw new RepositoryError(`${this.#repo} has no commit ${JSON.stringify(name)}`, { cause });
    }
  }
}

async function* archiveOf(tree: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const tar = spawn("tar", ["-c", "-f", "-", "-C", tree, "."], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...ENV },
    ...(signal === undefined ? {} : { signal }),
  });
  const ended = new Promise<number | null>((done, failed) => {
    tar.on("close", done).on("error", failed);
  });
  ended.catch(() => undefined);
  let said = "";
  tar.stderr.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(0, 1000);
  });
  try {
    yield* tar.stdout;
    if ((await ended) !== 0) throw new RepositoryError(`tar cannot pack ${tree}: ${said.trim()}`);
  } finally {
    tar.kill("SIGKILL");
  }
}
