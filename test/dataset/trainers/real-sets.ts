import { cpSync, existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TargetId } from "../../../shared/dataset/targets/targets.ts";
import { attemptLines } from "../../factories/attempts.ts";
import { makeStation, type Station } from "../../factories/station.ts";

const root = resolve(import.meta.dirname, "../../..");
const FIXTURES = resolve(root, "../shared/fixtures");

/** Longer logs say nothing new of a format, and cost minutes. */
const LONG = 200_000;

/** For the name of a test: says where real logs are missing. */
export const whyFixtures = existsSync(FIXTURES) ? "" : " [without ../shared/fixtures, which is absent]";

/** A station that took in the project's sample logs, runs made here, and real logs where they are there. */
export async function filledStation(): Promise<Station> {
  const station = makeStation();
  station.write("made/attempts.jsonl", `${attemptLines(6).join("\n")}\n`);
  cpSync(join(root, "shared/samples/drop"), join(station.drop, "samples"), { recursive: true });
  if (existsSync(FIXTURES)) {
    const isShort = (path: string): boolean => statSync(path).isDirectory() || statSync(path).size < LONG;
    cpSync(FIXTURES, join(station.drop, "real"), { recursive: true, filter: isShort });
  }
  await station.run();
  return station;
}

export interface RealSet {
  readonly target: TargetId;
  /** On disk. */
  readonly folder: string;
  readonly rows: number;
}

/** Writes a target from everything in the station, all of it for training. */
export async function realSet(station: Station, target: TargetId): Promise<RealSet> {
  const result = await station.export({
    target,
    name: target,
    success: ["true", "false", "unknown"],
    split: { train: 1, validation: 0, test: 0, seed: 1 },
  });
  if (result.kind === "empty") throw new Error(`${target} has no rows: ${JSON.stringify(result.excluded)}`);
  return { target, folder: join(station.folder, result.prefix), rows: result.manifest.rows };
}
