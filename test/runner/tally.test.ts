import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const tallySchema = z.object({
  passed: z.int(),
  failed: z.int(),
  skipped: z.array(z.object({ name: z.string(), reason: z.string().optional() })),
});

const script = `
  import { startVitest } from ${JSON.stringify(import.meta.resolve("vitest/node"))};
  import { TallyReporter } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "tally.ts")).href)};
  const reporter = new TallyReporter();
  const vitest = await startVitest([], {
    root: process.argv[1], watch: false, globals: true, config: false, reporters: [reporter],
  });
  await vitest.close();
  console.log(JSON.stringify(reporter.tally()));
  process.exit(0);
`;

/** Runs the given test file in a folder of its own and counts it. */
async function tallyOf(source: string | undefined): Promise<z.infer<typeof tallySchema>> {
  const folder = await mkdtemp(join(tmpdir(), "gymline-tally-"));
  try {
    if (source !== undefined) await writeFile(join(folder, "a.test.ts"), source);
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--input-type=module",
      "--eval",
      script,
      folder,
    ]);
    return tallySchema.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("the tally of a test run", () => {
  it("counts passed, failed and skipped tests and repeats why one was skipped", async () => {
    const tally = await tallyOf(`
      it("passes", () => {});
      it("fails", () => { throw new Error("no"); });
      it("skips", (context) => context.skip("no network"));
      it.skip("skips silently", () => {});
      it.todo("is to do");
    `);
    expect(tally).toEqual({
      passed: 1,
      failed: 1,
      skipped: [
        { name: "a.test.ts > skips", reason: "no network" },
        { name: "a.test.ts > skips silently" },
        { name: "a.test.ts > is to do" },
      ],
    });
  });

  it.each([
    ["a file that does not load", 'import "./absent.ts";\nit("never runs", () => {});'],
    [
      "a hook that throws",
      'describe("x", () => { beforeAll(() => { throw new Error("no"); }); it("a", () => {}); });',
    ],
    ["an error that no test caught", 'it("a", () => { Promise.reject(new Error("late")); });'],
    ["a file without tests", "export {};"],
    ["a run without files", undefined],
  ])("counts %s as one failure", async (_, source) => {
    expect((await tallyOf(source)).failed).toBe(1);
  });
});
