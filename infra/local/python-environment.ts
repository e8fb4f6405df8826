import { execFile } from "node:child_process";
import { glob } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { withLock } from "./folder-lock.ts";
import { madeOnce, NO_INDEX, pipInstall } from "./pip-install.ts";

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
    await pipInstall(python, installs);
  };
  return (await madeOnce({ folder, stamp, make }))
    ? { kind: "ready", python }
    : { kind: "absent", reason: NO_INDEX };
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
