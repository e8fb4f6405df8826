import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { PythonEnvironment } from "../../infra/local/python-environment.ts";
import { trainerEnvironment } from "./venv.ts";

const folder = import.meta.dirname;
const outcomeSchema = z.object({ test: z.string(), outcome: z.string(), detail: z.string() });
type Outcome = z.infer<typeof outcomeSchema>;

/** Each pytest function, so that it is counted and named like any other test; it may stand for several cases. */
describe("the trainer's scripts", () => {
  let environment: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };
  let work = "";
  let outcomes: readonly Outcome[] = [];
  let output = "";

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gymline-pytest-"));
    environment = await trainerEnvironment();
    if (environment.kind === "ready") ({ outcomes, output } = await runPytest(environment.python, work));
  });
  afterAll(() => rm(work, { recursive: true, force: true }));

  for (const file of readdirSync(folder).filter((name) => /^test_\w+\.py$/.test(name))) {
    for (const name of testsIn(file)) {
      it(`${file}: ${name.replace(/^test_/, "").replaceAll("_", " ")}`, (context) => {
        if (environment.kind === "absent") context.skip(environment.reason);
        const own = outcomes.filter(({ test }) => test.split("::")[1]?.replace(/\[.*/, "") === name);
        expect(own.length, output).toBeGreaterThan(0);
        // Such as those that need the reference's vectors, where there are none.
        const [first] = own;
        if (first?.outcome === "skipped") context.skip(first.detail);
        expect(own.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
      });
    }
  }
});

function testsIn(file: string): readonly string[] {
  const text = readFileSync(join(folder, file), "utf8");
  return [...text.matchAll(/^def (test_\w+)\(/gm)].map(([, name = ""]) => name);
}

async function runPytest(
  python: string,
  work: string,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly output: string }> {
  const report = join(work, "report.jsonl");
  const args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", folder];
  const env = { ...process.env, REPORT: report, PYTHONDONTWRITEBYTECODE: "1" };
  // That a test failed is seen in the report; what else goes wrong, in the output.
  const output = await promisify(execFile)(python, args, { env, maxBuffer: 1 << 26 }).then(
    ({ stdout }) => stdout,
    (error: unknown) => String(error),
  );
  if (!existsSync(report)) return { outcomes: [], output };
  const lines = readFileSync(report, "utf8").trim().split("\n");
  return { outcomes: lines.map((line) => outcomeSchema.parse(JSON.parse(line))), output };
}
