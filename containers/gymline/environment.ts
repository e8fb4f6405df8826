import { once } from "node:events";
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { z } from "zod";
import { bytesText } from "./terminal.ts";

/** One thing the program needs of its surroundings. */
export type EnvironmentCheck =
  | { readonly name: string; readonly ok: true; readonly value: string }
  | { readonly name: string; readonly ok: false; readonly value: string; readonly remedy: string };

const LEAST_NODE: readonly [major: number, minor: number] = [22, 15];
const LEAST_FREE = 1_000_000_000;

/** Looks at Node, what it brings along, the packages, and the folder that the store is (or will be) in. */
export async function checkEnvironment(folder: string): Promise<readonly EnvironmentCheck[]> {
  return [
    nodeCheck(),
    sqliteCheck(),
    zstdCheck(),
    await threadCheck(),
    ...packageChecks(),
    folderCheck(folder),
    diskCheck(folder),
  ];
}

function nodeCheck(): EnvironmentCheck {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  const value = `${process.version} (${process.platform} ${process.arch})`;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor))
    return { name: "Node", ok: true, value };
  return { name: "Node", ok: false, value, remedy: `use Node ${LEAST_NODE.join(".")} or newer` };
}

function sqliteCheck(): EnvironmentCheck {
  const remedy = "use an official build of Node: yours lacks node:sqlite or has it switched off";
  return attempt({ name: "SQLite", remedy }, () => {
    const db = new DatabaseSync(":memory:");
    try {
      return String(db.prepare("select sqlite_version() as version").get()?.["version"]);
    } finally {
      db.close();
    }
  });
}

function zstdCheck(): EnvironmentCheck {
  const remedy = "use an official build of Node: yours cannot read .zst logs";
  return attempt({ name: "Zstandard", remedy }, () => {
    const text = "gymline";
    if (zstdDecompressSync(zstdCompressSync(text)).toString() !== text) throw new Error("wrong result");
    return process.versions["zstd"] ?? "works";
  });
}

async function threadCheck(): Promise<EnvironmentCheck> {
  const count = availableParallelism();
  const worker = new Worker("require('node:worker_threads').parentPort.postMessage(1)", { eval: true });
  try {
    await once(worker, "message");
    return { name: "threads", ok: true, value: `${count}` };
  } catch (error) {
    const remedy = "work in one thread: gymline run --jobs 0";
    return { name: "threads", ok: false, value: reasonOf(error), remedy };
  } finally {
    await worker.terminate();
  }
}

const packageSchema = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).optional(),
});

function packageChecks(): readonly EnvironmentCheck[] {
  const own = findPackageJSON(".", import.meta.url);
  if (own === undefined) return [];
  const { version, dependencies = {} } = packageSchema.parse(JSON.parse(readFileSync(own, "utf8")));
  const others = Object.entries(dependencies).map(([name, wanted]): EnvironmentCheck => {
    const remedy = `install the packages anew (npm ci): ${wanted} is wanted`;
    const check = attempt({ name, remedy }, () => {
      const path = findPackageJSON(name, own);
      if (path === undefined) throw new Error("not installed");
      return packageSchema.parse(JSON.parse(readFileSync(path, "utf8"))).version;
    });
    return check.ok && check.value !== wanted ? { name, ok: false, value: check.value, remedy } : check;
  });
  return [{ name: "gymline", ok: true, value: version }, ...others];
}

function folderCheck(folder: string): EnvironmentCheck {
  const place = nearest(folder);
  const remedy = "give the folder to the user that runs gymline, or choose another one";
  return attempt({ name: "folder", remedy }, () => {
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK);
    // A read-only file system lets the question above pass for some users.
    rmSync(mkdtempSync(join(place, ".gymline-doctor-")), { recursive: true });
    return existsSync(folder) ? `${folder} can be written to` : `${folder} can be made`;
  });
}

function diskCheck(folder: string): EnvironmentCheck {
  const name = "free disk";
  const { bavail, bsize } = statfsSync(nearest(folder));
  const free = bavail * bsize;
  const value = bytesText(free);
  if (free >= LEAST_FREE) return { name, ok: true, value };
  return { name, ok: false, value, remedy: `free some space: ${bytesText(LEAST_FREE)} should be left` };
}

/** The folder itself, or the lowest one above it that is there. */
function nearest(folder: string): string {
  let place = resolve(folder);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}

function attempt(
  check: { readonly name: string; readonly remedy: string },
  look: () => string,
): EnvironmentCheck {
  const { name, remedy } = check;
  try {
    return { name, ok: true, value: look() };
  } catch (error) {
    return { name, ok: false, value: reasonOf(error), remedy };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
