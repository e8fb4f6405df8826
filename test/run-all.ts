import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";
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
  let total = NOTHING;
  for (const check of checks) total = add(total, runCheck(check));
  total = add(total, await runTests(projects, filters));
  if (total.skipped.length > 0) {
    say(`\nSKIPPED, so NOT shown by this run (${total.skipped.length}):`);
    for (const { name, reason } of total.skipped)
      say(`  - ${name}${reason === undefined ? "" : `: ${reason}`}`);
  }
  say(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`);
  return total.failed === 0 ? 0 : 1;
}

/** Counts as one test; its output is shown where it fails. */
function runCheck({ name, script, args }: Check): Tally {
  const file = resolve(root, "node_modules", script);
  const result = spawnSync(process.execPath, [file, ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) {
    say(`✓ ${name}`);
    return { ...NOTHING, passed: 1 };
  }
  say(`✗ ${name}\n${result.stdout}${result.stderr}${result.error?.message ?? ""}`);
  return { ...NOTHING, failed: 1 };
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
