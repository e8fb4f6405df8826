import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { glob, mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { withLock } from "./folder-lock.ts";

const run = promisify(execFile);

export type PythonEnvironment =
  | { readonly kind: "ready"; readonly python: string }
  | { readonly kind: "absent"; readonly reason: string };

export interface EnvironmentPlan {
  /** Where the virtual environment stands; it is kept for the next run. */
  readonly folder: string;
  /** The minor versions of Python 3 that will do, the best first. */
  readonly minors: readonly number[];
  /** The arguments of each `pip install`, in order. */
  readonly installs: readonly (readonly string[])[];
  /** Changes when what a folder among the installs holds has changed. */
  readonly revision?: string;
}

const NO_NETWORK = /NewConnectionError|NameResolutionError|Failed to establish|ConnectTimeout|ProxyError/;
const failureSchema = z.object({ stderr: z.string() });

export interface BesidePlan {
  /** The Python that they are for. */
  readonly python: string;
  /** Where the packages stand: for `PYTHONPATH`. It is kept for the next run. */
  readonly folder: string;
  /** The arguments of each `pip install`, in order. */
  readonly installs: readonly (readonly string[])[];
}

/**
 * Packages in a folder beside an environment, for what must not go into it: other versions of what it has, or packages
 * that ask for other versions.
 * @returns why there are none, where the package index cannot be reached
 */
export async function packagesBeside({ python, folder, installs }: BesidePlan): Promise<string | undefined> {
  const stamp = JSON.stringify([await realpath(python), installs]);
  const targets = installs.map((packages) => ["--upgrade", "--target", folder, ...packages]);
  const made = await withLock(`${folder}.lock`, () =>
    madeOnce({ folder, stamp, make: () => pip(python, targets) }),
  );
  return made ? undefined : NO_INDEX;
}

/** A Python in a virtual environment of its own that has the packages; made anew only where the plan changed. */
export async function pythonEnvironment(plan: EnvironmentPlan): Promise<PythonEnvironment> {
  const { folder, minors } = plan;
  const base = await findPython(minors);
  if (base === undefined) {
    return {
      kind: "absent",
      reason: `there is no Python ${minors.map((minor) => `3.${minor}`).join(" or ")}`,
    };
  }
  // Two test files may ask for the same environment at once: the second waits and finds it made.
  return withLock(`${folder}.lock`, () => makeEnvironment(base, plan));
}

async function makeEnvironment(
  base: string,
  { folder, installs, revision }: EnvironmentPlan,
): Promise<PythonEnvironment> {
  const python = join(folder, "bin/python");
  const stamp = JSON.stringify([base, installs, ...(revision === undefined ? [] : [revision])]);
  const make = async (): Promise<void> => {
    await run(base, ["-m", "venv", folder]);
    await pip(python, installs);
  };
  return (await madeOnce({ folder, stamp, make }))
    ? { kind: "ready", python }
    : { kind: "absent", reason: NO_INDEX };
}

const NO_INDEX = "the Python package index cannot be reached";

/** Whether the folder holds what the stamp says, made now where it did not; false where there is no network for it. */
async function madeOnce(of: {
  readonly folder: string;
  readonly stamp: string;
  readonly make: () => Promise<void>;
}): Promise<boolean> {
  const { folder, stamp, make } = of;
  const stampFile = join(folder, "stamp.json");
  if (existsSync(stampFile) && (await readFile(stampFile, "utf8")) === stamp) return true;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await make();
  } catch (error) {
    const failure = failureSchema.safeParse(error);
    if (!failure.success || !NO_NETWORK.test(failure.data.stderr)) throw error;
    return false;
  }
  await writeFile(stampFile, stamp);
  return true;
}

async function pip(python: string, installs: readonly (readonly string[])[]): Promise<void> {
  for (const packages of installs) {
    await run(python, ["-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "20", ...packages]);
  }
}

async function findPython(minors: readonly number[]): Promise<string | undefined> {
  const installed: string[] = [];
  for (const minor of minors) {
    const pattern = join(homedir(), `.pyenv/versions/3.${minor}.*/bin/python`);
    for await (const path of glob(pattern)) installed.push(path);
  }
  for (const candidate of [...minors.map((minor) => `python3.${minor}`), "python3", ...installed]) {
    const executable = await suitablePython(candidate, minors);
    if (executable !== undefined) return executable;
  }
  return undefined;
}

/** The interpreter behind a name: a shim of a version manager may stand there without one. */
async function suitablePython(candidate: string, minors: readonly number[]): Promise<string | undefined> {
  const fits = `sys.version_info[0] == 3 and sys.version_info[1] in [${minors.join(", ")}]`;
  // Some distributions part `ensurepip` off; without it there is no virtual environment with pip in it.
  const probe = `import sys, venv, ensurepip; print(sys.executable if ${fits} else '')`;
  try {
    return (await run(candidate, ["-c", probe])).stdout.trim() || undefined;
  } catch {
    return undefined; // Not there, or a shim without an interpreter: the next one may do.
  }
}
