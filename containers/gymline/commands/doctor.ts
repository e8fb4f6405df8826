import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { checkStore, isBeingWritten, type StoreProblem } from "../../../shared/adapters/local/check-store.ts";
import { NoStoreError, openForReading } from "../../../shared/adapters/local/local-store.ts";
import { pc } from "../colours.ts";
import { checkEnvironment, type EnvironmentCheck } from "../environment.ts";
import { EXIT } from "../exit-code.ts";
import { isExpected, messageOf } from "../faults.ts";
import { examples, storeOption } from "../options.ts";
import { many, out, printable } from "../terminal.ts";

interface DoctorOptions {
  readonly store: string;
  readonly deep?: boolean;
  readonly json?: boolean;
}

/** Problems of one kind that are shown one by one. */
const SHOWN = 10;

export function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("check the surroundings and a store, and say how to mend what is wrong")
    .option("--deep", "also read every document, score, attachment and dataset file")
    .option("--json", "print one JSON document instead of text");
  storeOption(command);
  examples(command, ["gymline doctor", "gymline doctor --store out --deep"]).action(doctor);
}

type StoreState =
  | { readonly state: "none" }
  | { readonly state: "checked"; readonly busy: boolean; readonly trajectories: number };

async function doctor(options: DoctorOptions, command: Command): Promise<void> {
  const given = command.getOptionValueSource("store") !== "default";
  if (given && !existsSync(join(options.store, "catalog.sqlite"))) throw new NoStoreError(options.store);
  const environment = await checkEnvironment(options.store);
  const problems: StoreProblem[] = [];
  const store = await storeCheck(options, problems);
  const wrong = environment.filter(({ ok }) => !ok).length + problems.length;
  if (options.json === true) {
    const facts = { schema: "gymline.doctor.v1", ok: wrong === 0, environment, folder: options.store };
    out(JSON.stringify({ ...facts, store, problems }));
  } else {
    printEnvironment(environment);
    printStore(options, store, problems);
  }
  if (wrong > 0) process.exitCode = EXIT.rejected;
}

async function storeCheck(options: DoctorOptions, problems: StoreProblem[]): Promise<StoreState> {
  if (!existsSync(join(options.store, "catalog.sqlite"))) return { state: "none" };
  const busy = isBeingWritten(options.store);
  let trajectories = 0;
  try {
    const local = openForReading(options.store);
    try {
      for await (const _ of local.catalog.select({ includeSuperseded: true })) trajectories += 1;
      for await (const problem of checkStore({ local, deep: options.deep === true, busy }))
        problems.push(problem);
    } finally {
      await local.close();
    }
  } catch (error) {
    // A catalog too damaged to be asked is what a doctor is for.
    if (!isExpected(error) && !isSqlite(error)) throw error;
    const remedy = `bring back a copy of ${options.store}/catalog.sqlite; without one, move it away and read the logs again: gymline run <drop> --out ${options.store}`;
    problems.push({ code: "catalog-damaged", place: "catalog.sqlite", reason: messageOf(error), remedy });
  }
  return { state: "checked", busy, trajectories };
}

function isSqlite(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";
}

function printEnvironment(checks: readonly EnvironmentCheck[]): void {
  out(pc.bold("Surroundings"));
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const check of checks) {
    out(`  ${check.ok ? pc.green("✓") : pc.red("✗")} ${check.name.padEnd(width)}  ${printable(check.value)}`);
    if (!check.ok) out(`    ${pc.dim("→")} ${check.remedy}`);
  }
}

function printStore(options: DoctorOptions, store: StoreState, problems: readonly StoreProblem[]): void {
  out(`\n${pc.bold("Store")}  ${printable(options.store)}`);
  if (store.state === "none") {
    out("  none here yet: gymline run <drop> makes it; --store names another folder");
    return;
  }
  if (store.busy) out("  a process is writing to it: half-done work is left out of the check");
  if (problems.length === 0) {
    const depth = options.deep === true ? "all read and in order" : "all there (--deep reads them too)";
    out(`  ${pc.green("✓")} ${many(store.trajectories, "trajectory", "trajectories")}, ${depth}`);
    return;
  }
  for (const [code, list] of Map.groupBy(problems, (problem) => problem.code)) {
    out(`  ${pc.red("✗")} ${code}  ${many(list.length, "problem")}`);
    for (const { place, reason } of list.slice(0, SHOWN))
      out(`      ${printable(place)}: ${printable(reason)}`);
    if (list.length > SHOWN) out(`      … and ${list.length - SHOWN} more (--json lists them all)`);
    for (const remedy of new Set(list.slice(0, SHOWN).map((problem) => problem.remedy)))
      out(`    ${pc.dim("→")} ${printable(remedy)}`);
  }
}
