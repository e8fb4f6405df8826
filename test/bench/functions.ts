import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import { bundleFunction } from "../../infra/constructs/function-bundle.ts";
import { STAGES } from "../../shared/contracts/deployment-config.ts";
import type { Figure } from "./figure.ts";
import { functionEnvironment } from "./function-environment.ts";
import { median } from "./median.ts";

const root = resolve(import.meta.dirname, "../..");
const ROUNDS = 7;

/** Bundle sizes, and how long a fresh process takes to load each function: a Lambda cold start without the sandbox. */
export function benchFunctions(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), "gymline-bench-"));
  try {
    const settings = JSON.stringify({ schema: "gymline.settings.v1", config: {} });
    return STAGES.flatMap((stage) => {
      const place = join(folder, stage);
      bundleFunction({ entry: join(root, "functions", stage, "handler.ts"), folder: place, settings });
      const code = globSync("*.mjs", { cwd: place }).map((name) => readFileSync(join(place, name)));
      const loads = Array.from({ length: ROUNDS }, () => loadTime(place));
      return [
        { name: `${stage}: bundle`, value: sum(code.map(({ length }) => length)) / 1024, unit: "KiB" },
        {
          name: `${stage}: bundle, compressed`,
          value: sum(code.map((bytes) => gzipSync(bytes).length)) / 1024,
          unit: "KiB",
        },
        { name: `${stage}: cold start, until it could take a message`, value: median(loads), unit: "ms" },
      ];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Milliseconds from the start of the program to the handler, in a fresh process; Node's own start is not in it. */
function loadTime(folder: string): number {
  const script = join(folder, "measure.mjs");
  const started = "const started = performance.now();";
  const load = 'const { handler } = await import("./index.mjs");';
  const say =
    "process.stdout.write(JSON.stringify({ ms: performance.now() - started, kind: typeof handler }));";
  writeFileSync(script, `${started}\n${load}\n${say}\nprocess.exit(0);\n`);
  const out = execFileSync(process.execPath, [script], {
    cwd: folder,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...functionEnvironment(folder) },
  });
  return z.object({ ms: z.number(), kind: z.literal("function") }).parse(JSON.parse(out)).ms;
}
