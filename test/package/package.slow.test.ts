import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import manifest from "../../package.json" with { type: "json" };

const root = resolve(import.meta.dirname, "../..");
/** The program's `#!/usr/bin/env node` finds the Node that runs this test. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}` };
const packedSchema = z.tuple([
  z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }),
]);
const failureSchema = z.object({ stdout: z.string(), stderr: z.string() });
const NO_NETWORK = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;

const messages = [
  { role: "user", content: "What is six times seven?" },
  {
    role: "assistant",
    content: "",
    tool_calls: [
      { id: "c1", type: "function", function: { name: "multiply", arguments: '{"left":6,"right":7}' } },
    ],
  },
  { role: "tool", tool_call_id: "c1", content: "42" },
  { role: "assistant", content: "Six times seven is 42." },
];

describe("the package", () => {
  let folder = "";
  let files: readonly string[] = [];
  let offline = false;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gymline-package-"));
    const packed = await run(root, "npm", ["pack", "--json", "--silent", "--pack-destination", folder]);
    const [tarball] = packedSchema.parse(JSON.parse(packed));
    files = tarball.files.map(({ path }) => path);
    await cp(join(root, "test/consumer"), folder, { recursive: true });
    const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball.filename}`];
    await run(folder, "npm", install).catch((error: unknown) => {
      if (!(error instanceof Error) || !NO_NETWORK.test(error.message)) throw error;
      offline = true;
    });
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const gymline = (...args: readonly string[]): Promise<string> =>
    run(folder, "npx", ["--no", "--", "gymline", ...args]);
  const tsc = (...args: readonly string[]): Promise<string> =>
    run(folder, process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...args]);

  it("holds the compiled program with its types, the schema and no test code", () => {
    expect(files).toContain("dist/shared/library.js");
    expect(files).toContain("dist/shared/library.d.ts");
    expect(files).toContain("docs/trajectory.schema.json");
    const foreign = files.filter((path) => /\.test\.|^dist\/test\/|(?<!\.d)\.ts$/.test(path));
    expect(foreign).toEqual([]);
  });

  it("holds the trainer: its scripts, the package beside them, configurations, and nothing that Python left", () => {
    const tracked = readdirSync(join(root, "containers/trainer"), { recursive: true, encoding: "utf8" });
    const wanted = tracked.filter(
      (path) => /\.(?:py|toml|yaml)$/.test(path) && !path.includes("__pycache__"),
    );
    expect(wanted.length).toBeGreaterThan(10);
    const there = files.filter((path) => path.startsWith("dist/containers/trainer/"));
    expect(there.toSorted()).toEqual(wanted.map((path) => `dist/containers/trainer/${path}`).toSorted());
  });

  it("tells its version where it is installed", async (context) => {
    context.skip(offline, "the package registry cannot be reached");
    expect((await gymline("--version")).trim()).toBe(manifest.version);
  });

  it("runs on a drop folder where it is installed", async (context) => {
    context.skip(offline, "the package registry cannot be reached");
    await mkdir(join(folder, "drop"));
    await writeFile(join(folder, "drop/chat.json"), JSON.stringify({ messages }));
    await gymline("run", "drop", "--out", "out-run");
    expect(await readdir(join(folder, "out-run"))).not.toEqual([]);
  });

  for (const project of ["tsconfig.json", "tsconfig.bundler.json"]) {
    it(`type-checks in a strict project that imports it, library files included (${project})`, async (context) => {
      context.skip(offline, "the package registry cannot be reached");
      await tsc("--noEmit", "-p", project);
    });
  }

  it("works in the compiled project that imports it", async (context) => {
    context.skip(offline, "the package registry cannot be reached");
    await tsc("-p", "tsconfig.json");
    expect(await run(folder, process.execPath, ["out/main.js"])).toBe("multiply = 42\n");
  });
});

/** Its standard output; where it fails, an error that shows all it wrote. */
async function run(cwd: string, command: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, [...args], { cwd, env })).stdout;
  } catch (error) {
    const { stdout, stderr } = failureSchema.parse(error);
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
