import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { writeDrop } from "../factories/drop.ts";
import { createRandom, type Random } from "../fuzz/random.ts";
import { brokenObjects, catalogOf, objectsOf } from "./store-state.ts";

const MAIN = join(import.meta.dirname, "../../containers/gymline/main.ts");

interface Truth {
  readonly exitCode: number | null;
  readonly objects: Readonly<Record<string, string>>;
  readonly catalog: Readonly<Record<string, readonly string[]>>;
  /** How long the undisturbed run took, in milliseconds: kills are spread over this time. */
  readonly duration: number;
}

/** What the rounds came upon: shows that the kills did hit runs at work, at different places. */
export interface CrashTally {
  rounds: number;
  /** Runs that were killed before they ended. */
  killed: number;
  /** Kills after the first object was written and before the last. */
  midway: number;
  /** Kills that found a dataset begun but not finished, or one not yet in the catalog. */
  inExport: number;
}

/**
 * Runs the program on a generated drop, once undisturbed, then round after round with kills at random moments and a
 * last run to the end, and expects every round to end where the undisturbed run ended.
 */
export async function crashRounds(options: {
  readonly seed: number;
  readonly rounds: number;
}): Promise<CrashTally> {
  const work = mkdtempSync(join(tmpdir(), "gymline-crash-"));
  try {
    const drop = join(work, "drop");
    writeDrop(drop, { seed: options.seed, rows: 12 });
    const truth = await undisturbed(drop, join(work, "truth"));
    const tally: CrashTally = { rounds: 0, killed: 0, midway: 0, inExport: 0 };
    for (let round = 0; round < options.rounds; round += 1) {
      const out = join(work, `round-${round}`);
      await crashRound({ drop, out, truth, tally, random: createRandom(options.seed, round) });
      rmSync(out, { recursive: true, force: true });
    }
    return tally;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function undisturbed(drop: string, out: string): Promise<Truth> {
  const started = performance.now();
  const exitCode = await runProgram({ drop, out });
  const duration = performance.now() - started;
  expect(brokenObjects(out)).toEqual([]);
  return { exitCode, objects: objectsOf(out), catalog: catalogOf(out), duration };
}

async function crashRound(round: {
  readonly drop: string;
  readonly out: string;
  readonly truth: Truth;
  readonly tally: CrashTally;
  readonly random: Random;
}): Promise<void> {
  const { drop, out, truth, tally, random } = round;
  const all = Object.keys(truth.objects).length;
  const moments: number[] = [];
  for (let kills = 1 + random.int(3); kills > 0; kills -= 1) {
    const moment = random.int(Math.ceil(truth.duration));
    moments.push(moment);
    const exitCode = await runProgram({ drop, out, killAfter: moment });
    if (exitCode === null) tally.killed += 1;
    const written = Object.keys(objectsOfStarted(out));
    if (exitCode === null && written.length > 0 && written.length < all) tally.midway += 1;
    if (exitCode === null && datasetBegun(written)) tally.inExport += 1;
    expect({ moments, broken: brokenObjectsOfStarted(out) }).toEqual({ moments, broken: [] });
  }
  const exitCode = await runProgram({ drop, out });
  tally.rounds += 1;
  const { objects, catalog } = truth;
  const end = { exitCode, objects: objectsOf(out), catalog: catalogOf(out) };
  expect({ moments, ...end }).toEqual({ moments, exitCode: truth.exitCode, objects, catalog });
}

/** A run killed early may not even have made its folder. */
function objectsOfStarted(out: string): Readonly<Record<string, string>> {
  return existsSync(out) ? objectsOf(out) : {};
}

function brokenObjectsOfStarted(out: string): readonly string[] {
  return existsSync(out) ? brokenObjects(out) : [];
}

function datasetBegun(keys: readonly string[]): boolean {
  return keys.some((key) => key.startsWith("datasets/"));
}

/** Runs `gymline run` to its end, or kills it; gives its exit code, null where it was killed. */
async function runProgram(run: {
  readonly drop: string;
  readonly out: string;
  readonly killAfter?: number;
}): Promise<number | null> {
  const args = [MAIN, "run", run.drop, "--out", run.out, "--jobs", "2", "--success", "any", "--json"];
  // Manifests name the program's commit, which somebody at work on it may change between two runs.
  const env = { ...process.env, GYMLINE_COMMIT: "0".repeat(40) };
  const child = spawn(process.execPath, args, { cwd: tmpdir(), env, stdio: ["ignore", "ignore", "pipe"] });
  const timer =
    run.killAfter === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), run.killAfter);
  let faults = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    faults += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  if (code !== null && code !== 2) throw new Error(`gymline ended with ${code}: ${faults}`);
  return code;
}
