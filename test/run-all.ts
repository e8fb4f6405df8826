import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { startVitest } from "vitest/node";
import { z } from "zod";
import { sharedDaemon } from "./docker/shared-daemon.ts";
import { add, NOTHING, type Tally, TallyReporter } from "./runner/tally.ts";

/*
 * Everything that must pass: types, lint, unused code, then the tests. `--fast` leaves out the slow tests,
 * `--soak` runs the slow and the soak tests alone, at full size. Further arguments filter the test files.
 */

interface Plan {
  readonly checks: readonly Check[];
  readonly projects: readonly string[];
}

interface Check {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
}

const root = resolve(import.meta.dirname, "..");
const CHECKS: readonly Check[] = [
  { name: "types", script: "typescript/bin/tsc", args: ["--noEmit"] },
  { name: "lint", script: "@biomejs/biome/bin/biome", args: ["check", "--error-on-warnings", "."] },
  { name: "unused code", script: "knip/bin/knip.js", args: [] },
  { name: "code that only tests use", script: "knip/bin/knip.js", args: ["--production"] },
];

const failureSchema = z.object({ stdout: z.string(), stderr: z.string(), message: z.string() });

const { values, positionals } = parseArgs({
  options: { fast: { type: "boolean", default: false }, soak: { type: "boolean", default: false } },
  allowPositionals: true,
});
process.exitCode = await main(plan(values), positionals);

function plan(options: { readonly fast: boolean; readonly soak: boolean }): Plan {
  if (options.soak) return { checks: [], projects: ["slow", "soak"] };
  return { checks: CHECKS, projects: options.fast ? ["unit"] : ["unit", "slow"] };
}

async function main({ checks, projects }: Plan, filters: readonly string[]): Promise<number> {
  if (projects.includes("soak")) process.env["GYMLINE_SOAK"] = "1";
  // The program and what else is started again and again is compiled once a run.
  using compiled = mkdtempDisposableSync(join(tmpdir(), "gymline-compiled-"));
  process.env["NODE_COMPILE_CACHE"] = compiled.path;
  const tally = projects.includes("slow")
    ? await withPreparation(filters, () => checkAndTest({ checks, projects }, filters))
    : await checkAndTest({ checks, projects }, filters);
  if (tally.skipped.length > 0) {
    say(`\nSKIPPED, so NOT shown by this run (${tally.skipped.length}):`);
    for (const { name, reason } of tally.skipped)
      say(`  - ${name}${reason === undefined ? "" : `: ${reason}`}`);
  }
  say(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped.length} skipped`);
  return tally.failed === 0 ? 0 : 1;
}

/** With one Docker daemon for all test files and, where all of them run, with what they install made ahead. */
async function withPreparation(filters: readonly string[], work: () => Promise<Tally>): Promise<Tally> {
  await using _ = sharedDaemon();
  const preparing = filters.length === 0 ? prepare() : undefined;
  try {
    return await work();
  } finally {
    if (preparing?.kill() === true) await once(preparing, "exit");
  }
}

/** It says nothing: the tests that need what cannot be made tell why. */
function prepare(): ChildProcess {
  return spawn(process.execPath, [join(root, "test/runner/prepare.ts")], { cwd: root, stdio: "ignore" });
}

async function checkAndTest({ checks, projects }: Plan, filters: readonly string[]): Promise<Tally> {
  const checked = await Promise.all(checks.map(runCheck));
  return [...checked, await runTests(projects, filters)].reduce(add, NOTHING);
}

/** Counts as one test; its output is shown where it fails. */
async function runCheck({ name, script, args }: Check): Promise<Tally> {
  const file = resolve(root, "node_modules", script);
  try {
    await promisify(execFile)(process.execPath, [file, ...args], { cwd: root, maxBuffer: 64 * 1024 * 1024 });
    say(`✓ ${name}`);
    return { ...NOTHING, passed: 1 };
  } catch (error) {
    const { stdout, stderr, message } = failureSchema.parse(error);
    say(`✗ ${name}\n${stdout}${stderr}${message}`);
    return { ...NOTHING, failed: 1 };
  }
}

async function runTests(projects: readonly string[], filters: readonly string[]): Promise<Tally> {
  const reporter = new TallyReporter();
  const vitest = await startVitest([...filters], {
    root,
    watch: false,
    project: [...projects],
    // A snapshot file that is missing is a failure here, not an invitation to write it.
    update: "none",
    reporters: ["default", reporter],
  });
  await vitest.close();
  return reporter.tally();
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
