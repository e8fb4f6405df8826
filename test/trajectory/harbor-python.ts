import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { glob, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);

export type HarborPython =
  | { readonly kind: "ready"; readonly python: string }
  | { readonly kind: "absent"; readonly reason: string };

/** Harbor's trajectory models need nothing of Harbor's own dependencies but pydantic. */
const INSTALLS = [["--no-deps", "harbor==0.25.0"], ["pydantic==2.14.3"]] as const;
const NO_NETWORK = /NewConnectionError|NameResolutionError|Failed to establish|ConnectTimeout|ProxyError/;
const failureSchema = z.object({ stderr: z.string() });

/** A Python in a virtual environment of its own under `folder` that has Harbor's trajectory models. */
export async function harborPython(folder: string): Promise<HarborPython> {
  const base = await findPython();
  if (base === undefined) return { kind: "absent", reason: "there is no Python 3.12 or newer" };
  const python = join(folder, "bin/python");
  const stampFile = join(folder, "stamp.json");
  const stamp = JSON.stringify([base, INSTALLS]);
  if (existsSync(stampFile) && (await readFile(stampFile, "utf8")) === stamp)
    return { kind: "ready", python };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await run(base, ["-m", "venv", folder]);
    for (const packages of INSTALLS) {
      await run(python, [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--retries",
        "1",
        "--timeout",
        "20",
        ...packages,
      ]);
    }
  } catch (error) {
    const failure = failureSchema.safeParse(error);
    if (!failure.success || !NO_NETWORK.test(failure.data.stderr)) throw error;
    return { kind: "absent", reason: "the Python package index cannot be reached" };
  }
  await writeFile(stampFile, stamp);
  return { kind: "ready", python };
}

async function findPython(): Promise<string | undefined> {
  const named = ["python3.14", "python3.13", "python3.12", "python3"];
  const pyenv: string[] = [];
  for await (const path of glob(join(homedir(), ".pyenv/versions/3.1[2-9]*/bin/python"))) pyenv.push(path);
  for (const candidate of [...named, ...pyenv.sort().reverse()]) {
    const executable = await modernPython(candidate);
    if (executable !== undefined) return executable;
  }
  return undefined;
}

/** The interpreter behind a name: a shim of a version manager may stand there without one. */
async function modernPython(candidate: string): Promise<string | undefined> {
  const probe = "import sys, venv; print(sys.executable if sys.version_info >= (3, 12) else '')";
  try {
    return (await run(candidate, ["-c", probe])).stdout.trim() || undefined;
  } catch {
    return undefined; // Not there, or a shim without an interpreter: the next one may do.
  }
}
