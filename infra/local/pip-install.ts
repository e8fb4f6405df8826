import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);

export const NO_INDEX = "the Python package index cannot be reached";

const NO_NETWORK = /NewConnectionError|NameResolutionError|Failed to establish|ConnectTimeout|ProxyError/;
const failureSchema = z.object({ stderr: z.string() });

/** Runs `pip install` with each list of arguments, in order. */
export async function pipInstall(python: string, installs: readonly (readonly string[])[]): Promise<void> {
  for (const packages of installs) {
    await run(python, ["-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "20", ...packages]);
  }
}

/**
 * Whether a folder holds what the stamp says, made now where it did not; false where there is no network for it.
 * To be called under a lock.
 */
export async function madeOnce(of: {
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
    // Half made and without a stamp, it would be taken for something else's.
    await rm(folder, { recursive: true, force: true });
    const failure = failureSchema.safeParse(error);
    if (!failure.success || !NO_NETWORK.test(failure.data.stderr)) throw error;
    return false;
  }
  await writeFile(stampFile, stamp);
  return true;
}
