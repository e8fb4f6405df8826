import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { withLock } from "../folder-lock.ts";

const run = promisify(execFile);
const pom = join(import.meta.dirname, "pom.xml");

/** DynamoDB Local is compiled for this version of Java. */
const OLDEST_JAVA = 17;

export type DynamodbLocal =
  | { readonly kind: "ready"; readonly java: string; readonly libraries: string }
  | { readonly kind: "absent"; readonly reason: string; readonly remedy: string };

/**
 * DynamoDB Local from Maven's repository: the jars in a folder, and the Java that runs them.
 * @param folder where the jars are kept for the next run
 */
export async function dynamodbLocal(folder: string): Promise<DynamodbLocal> {
  const java = await findJava();
  if (java === undefined) {
    return {
      kind: "absent",
      reason: `there is no Java ${OLDEST_JAVA} or newer`,
      remedy: "Install one, and name it by JAVA_HOME or put it on the PATH.",
    };
  }
  return withLock(`${folder}.lock`, () => gatherJars(folder, java));
}

async function gatherJars(folder: string, java: string): Promise<DynamodbLocal> {
  const libraries = join(folder, "lib");
  const stampFile = join(folder, "stamp.xml");
  const stamp = await readFile(pom, "utf8");
  if (existsSync(stampFile) && (await readFile(stampFile, "utf8")) === stamp) {
    return { kind: "ready", java, libraries };
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${libraries}`, "-DincludeScope=runtime"];
    await run("mvn", ["--quiet", "--batch-mode", "--file", pom, ...goal], { timeout: 300_000 });
  } catch (error) {
    return absentMaven(error);
  }
  await writeFile(stampFile, stamp);
  return { kind: "ready", java, libraries };
}

function absentMaven(error: unknown): DynamodbLocal {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") {
    return {
      kind: "absent",
      reason: "there is no Maven (mvn)",
      remedy: "Install it and put it on the PATH.",
    };
  }
  const output = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
  if (!/Could not transfer|Unknown host|timed out|Connection refused/i.test(output)) throw error;
  return {
    kind: "absent",
    reason: "Maven's repository cannot be reached",
    remedy: "Connect this machine to the network for the first start, or name a mirror in Maven's settings.",
  };
}

async function findJava(): Promise<string | undefined> {
  const home = process.env["JAVA_HOME"];
  for (const candidate of [...(home ? [join(home, "bin/java")] : []), "java"]) {
    if ((await javaVersion(candidate)) >= OLDEST_JAVA) return candidate;
  }
  return undefined;
}

/** The major version; 0 where there is no such Java. */
async function javaVersion(java: string): Promise<number> {
  try {
    const { stderr } = await run(java, ["-version"]); // It answers on stderr.
    return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
