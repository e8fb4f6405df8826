import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { rolloutRepositoryKey } from "../../shared/contracts/keys.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { UsageError } from "./usage-error.ts";

/** A repository of this machine that goes along to jobs, as a bundle of this name. */
export interface CarriedRepository {
  readonly path: string;
  readonly bundle: string;
}

export interface CarriedTasks {
  /** Name bundles where they named paths of this machine. */
  readonly tasks: readonly EnvTask[];
  readonly repositories: readonly CarriedRepository[];
}

const withRepo = z.looseObject({ sandbox: z.looseObject({ repo: z.string() }) });

/** @throws UsageError where a task names no repository that there is */
export function carriedTasks(tasks: readonly EnvTask[]): CarriedTasks {
  const repositories = new Map<string, CarriedRepository>();
  const carried = tasks.map((task) => {
    const read = withRepo.safeParse(task);
    if (!read.success) return task;
    const path = resolve(read.data.sandbox.repo);
    if (!existsSync(path)) {
      throw new UsageError(
        `the task ${task.id} begins from ${path}, which is not there; clone it there first`,
      );
    }
    const bundle = `${createHash("sha256").update(path).digest("hex").slice(0, 16)}.bundle`;
    repositories.set(path, { path, bundle });
    return { ...task, sandbox: { ...read.data.sandbox, repo: bundle } };
  });
  return { tasks: carried, repositories: [...repositories.values()] };
}

const run = promisify(execFile);

/** Bundles each repository, all its branches and tags, into the store. @throws UsageError where git cannot */
export async function uploadRepositories(
  store: Pick<ObjectStore, "writer">,
  { name, repositories }: { readonly name: string; readonly repositories: readonly CarriedRepository[] },
): Promise<void> {
  if (repositories.length === 0) return;
  const folder = await mkdtemp(join(tmpdir(), "gymline-bundles-"));
  try {
    for (const { path, bundle } of repositories) {
      const file = path.endsWith(".bundle") ? path : join(folder, bundle);
      if (file !== path) await bundled(path, file);
      const writer = await store.writer(rolloutRepositoryKey(name, bundle));
      try {
        for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }))
          await writer.write(chunk);
        await writer.finish();
      } catch (error) {
        await writer.abort();
        throw error;
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function bundled(path: string, file: string): Promise<void> {
  try {
    await run("git", ["-C", path, "bundle", "create", "--quiet", file, "--all"]);
  } catch (cause) {
    throw new UsageError(`${path} cannot be bundled with git; is it a repository with a commit?`, { cause });
  }
}

/** Brings the bundles that these tasks name out of the store into a folder. @throws ObjectNotFoundError */
export async function fetchRepositories(
  store: Pick<ObjectStore, "stream">,
  {
    name,
    tasks,
    folder,
  }: { readonly name: string; readonly tasks: readonly EnvTask[]; readonly folder: string },
): Promise<void> {
  const bundles = tasks.flatMap((task) => withRepo.safeParse(task).data?.sandbox.repo ?? []);
  await mkdir(folder, { recursive: true });
  for (const bundle of new Set(bundles)) {
    const file = join(folder, bundle);
    await pipeline(store.stream(rolloutRepositoryKey(name, bundle)), createWriteStream(`${file}.part`));
    await rename(`${file}.part`, file);
  }
}
