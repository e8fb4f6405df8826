import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../../ports/clock.ts";
import {
  type Sandbox,
  SandboxError,
  type Sandboxes,
  type SandboxSpec,
  type SandboxSummary,
} from "../../ports/sandbox.ts";
import { checkSpec } from "../../sandbox/sandbox-limits.ts";
import { sandboxSpecSchema } from "../../sandbox/spec-schema.ts";
import { systemClock } from "../local/system-clock.ts";
import { CommandSandbox } from "../sandbox-files/command-sandbox.ts";
import type { Runner } from "../sandbox-files/runner.ts";
import { defaultStateFolder, SnapshotFiles } from "../sandbox-files/snapshot-files.ts";
import { bubblewrapCommand, checkBubblewrap, limitsCommand } from "./bubblewrap.ts";
import { ProcessRunner } from "./process-runner.ts";

/*
 * Sandboxes without Docker, for demonstrations with programs that are trusted. WEAKER than containers:
 *
 * - With bubblewrap a command has no network, sees programs of the host and its own folders and nothing else, has no
 *   capabilities and cannot gain any; when it ends, all that it started ends with it. But there is no seccomp filter;
 *   memory, processes and file size are limited for each process or user, not for the sandbox, and not at all for the
 *   number of processes where this program runs as root; the processor and the sum of files are not limited; the image
 *   is the host's own programs.
 * - Without bubblewrap (`isolation: "none"`) nothing is kept from a command but this program's environment variables:
 *   it can read, write and reach all that this user can. Whoever wants that has to say so.
 */

export interface ProcessSandboxesOptions {
  /** `none` only for programs that are trusted like this one. */
  readonly isolation: "bubblewrap" | "none";
  /** Where workspaces and snapshots lie; a folder in the user's cache where absent. */
  readonly stateFolder?: string;
  readonly clock?: Clock;
}

const stateSchema = z.strictObject({
  spec: sandboxSpecSchema,
  createdAt: z.number(),
  expiresAt: z.number(),
  isolation: z.enum(["bubblewrap", "none"]),
});

type State = z.infer<typeof stateSchema>;

const ID = /^[0-9a-f]{12}$/;
const STATE_FILE = "sandbox.json";
const HALF_MADE_MS = 60 * 60_000;

export class ProcessSandboxes implements Sandboxes {
  readonly kind = "process";
  readonly #root: string;
  readonly #snapshots: SnapshotFiles;
  readonly #clock: Clock;
  readonly #isolation: ProcessSandboxesOptions["isolation"];
  #check: Promise<void> | undefined;

  constructor({
    isolation,
    stateFolder = defaultStateFolder(),
    clock = systemClock,
  }: ProcessSandboxesOptions) {
    this.#root = join(stateFolder, "process");
    this.#snapshots = new SnapshotFiles(join(stateFolder, "process-snapshots"));
    this.#clock = clock;
    this.#isolation = isolation;
  }

  async create(spec: SandboxSpec, signal?: AbortSignal): Promise<Sandbox> {
    signal?.throwIfAborted();
    const id = randomUUID().replaceAll("-", "").slice(0, 12);
    const { workspace } = this.#folders(id);
    // Without isolation paths are those of the host.
    const own = this.#isolation === "none" ? { ...spec, workspace } : spec;
    checkSpec({ ...own, workspace: this.#isolation === "none" ? "/workspace" : spec.workspace });
    if (spec.network !== "none") {
      const message =
        "the process backend has no network with an allow-list, since nothing there would hold to it; use Docker for it, or leave the list out";
      throw new SandboxError(message, { reason: "refused" });
    }
    if (spec.runtime !== undefined) {
      const message = `the process backend has no runtime ${spec.runtime}; use Docker for it`;
      throw new SandboxError(message, { reason: "refused" });
    }
    if (this.#isolation === "bubblewrap") await this.#checked();
    const createdAt = this.#clock.now();
    const expiresAt = createdAt + spec.limits.lifetimeMs;
    const state: State = { spec: own, createdAt, expiresAt, isolation: this.#isolation };
    const folder = join(this.#root, id);
    for (const path of Object.values(this.#folders(id))) await mkdir(path, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, `${STATE_FILE}.part`), JSON.stringify(state), { mode: 0o600 });
    await rename(join(folder, `${STATE_FILE}.part`), join(folder, STATE_FILE));
    return this.#sandbox(id, state);
  }

  /** Once: what works for one sandbox works for the next. One that failed is tried again. */
  #checked(): Promise<void> {
    this.#check ??= checkBubblewrap().catch((error: unknown) => {
      this.#check = undefined;
      throw error;
    });
    return this.#check;
  }

  async open(id: string): Promise<Sandbox> {
    const found = (await this.#ids()).filter((each) => id !== "" && each.startsWith(id));
    const [only, another] = found;
    const state = only === undefined ? undefined : await this.#state(only);
    if (only === undefined || state === undefined || another !== undefined) {
      const why = another === undefined ? "there is none" : "there are several";
      const message = `no sandbox can be opened as ${JSON.stringify(id)}: ${why}; gymline sandbox list --backend ${this.#isolation === "none" ? "process-unisolated" : "process"} tells which there are`;
      throw new SandboxError(message, { reason: another === undefined ? "lost" : "refused" });
    }
    if (state.isolation !== this.#isolation) {
      const message = `sandbox ${only} was made with isolation "${state.isolation}", not "${this.#isolation}"; ask for the one it was made with`;
      throw new SandboxError(message, { reason: "refused" });
    }
    return this.#sandbox(only, state);
  }

  async list(): Promise<readonly SandboxSummary[]> {
    const now = this.#clock.now();
    const all = await Promise.all(
      (await this.#ids()).map(async (id): Promise<readonly SandboxSummary[]> => {
        const state = await this.#state(id);
        if (state === undefined) return [];
        const { createdAt, expiresAt, spec } = state;
        const ended = expiresAt <= now ? ("ended" as const) : ("running" as const);
        return [{ id, image: "host", labels: spec.labels, createdAt, expiresAt, state: ended }];
      }),
    );
    return all.flat();
  }

  async reap(): Promise<readonly string[]> {
    const now = this.#clock.now();
    const reaped: string[] = [];
    for (const { id, expiresAt } of await this.list()) {
      if (expiresAt > now) continue;
      await this.#removeFolder(id);
      await this.#snapshots.drop(id);
      reaped.push(id);
    }
    for (const id of await this.#ids()) {
      if (!(await this.#isLeftHalf(id, now))) continue;
      await this.#removeFolder(id);
      reaped.push(id);
    }
    await this.#snapshots.reap(now);
    return reaped;
  }

  /** Its maker was ended before it said what it is, and long ago. */
  async #isLeftHalf(id: string, now: number): Promise<boolean> {
    if ((await this.#state(id)) !== undefined) return false;
    const made = await stat(join(this.#root, id)).catch(() => undefined);
    return made !== undefined && made.mtimeMs < now - HALF_MADE_MS;
  }

  #sandbox(id: string, { spec, expiresAt }: State): Sandbox {
    return new CommandSandbox({
      id,
      spec,
      expiresAt,
      runner: this.#runner(id, spec),
      snapshots: this.#snapshots,
      clock: this.#clock,
      create: (own) => this.create(own),
    });
  }

  #runner(id: string, spec: SandboxSpec): Runner {
    const folders = this.#folders(id);
    const remove = (): Promise<void> => this.#removeFolder(id);
    if (this.#isolation === "bubblewrap") {
      return new ProcessRunner({
        wrap: (request) => ({
          command: bubblewrapCommand(spec, folders, request),
          env: hostEnvironment(),
          cwd: "/",
        }),
        remove,
      });
    }
    return new ProcessRunner({
      wrap: (request) => ({
        command: [...limitsCommand(spec), ...request.command],
        env: { ...hostEnvironment(), HOME: folders.tmp, TMPDIR: folders.tmp, ...spec.env, ...request.env },
        cwd: request.cwd,
      }),
      remove,
    });
  }

  #folders(id: string): { readonly workspace: string; readonly tmp: string } {
    return { workspace: join(this.#root, id, "workspace"), tmp: join(this.#root, id, "tmp") };
  }

  async #removeFolder(id: string): Promise<void> {
    await rm(join(this.#root, id), { recursive: true, force: true, maxRetries: 3 });
  }

  async #ids(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#root)).filter((name) => ID.test(name)).sort();
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    }
  }

  async #state(id: string): Promise<State | undefined> {
    try {
      const text = await readFile(join(this.#root, id, STATE_FILE), "utf8");
      return stateSchema.safeParse(JSON.parse(text)).data;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }
}

/** Only the search path: other variables of this program may be secrets. */
function hostEnvironment(): Readonly<Record<string, string>> {
  return { PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin" };
}
