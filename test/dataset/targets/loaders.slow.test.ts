import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { PythonEnvironment } from "../../../infra/local/python-environment.ts";
import { InlineCompute } from "../../../shared/adapters/local/compute-inline.ts";
import { runDrop } from "../../../shared/adapters/local/embedded-run.ts";
import { openForWriting } from "../../../shared/adapters/local/local-store.ts";
import { taskSettings } from "../../../shared/adapters/local/task-settings.ts";
import { datasetRequestSchema } from "../../../shared/contracts/dataset-request.ts";
import { TARGET_IDS, type TargetId, targetOf } from "../../../shared/dataset/targets/targets.ts";
import { exportDataset } from "../../../shared/stages/export.ts";
import { attemptLines } from "../../factories/attempts.ts";
import { atifDocument } from "../../factories/logs.ts";
import { makePlan } from "../../factories/plan.ts";
import { temporaryFolder } from "../../factories/temporary.ts";
import { trainerEnvironment } from "../../trainer/venv.ts";

const loadedSchema = z.record(
  z.string(),
  z.object({ rows: z.int(), columns: z.array(z.string()), differences: z.array(z.string()) }),
);

/** Trainers that load a file by itself. */
const ALONE: readonly TargetId[] = [
  "verl",
  "llama-factory",
  "llama-factory-dpo",
  "ms-swift",
  "ms-swift-dpo",
  "verl-rl",
  "skyrl",
];

describe("Hugging Face datasets 5.2.0", () => {
  let environment: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };

  beforeAll(async () => {
    environment = await trainerEnvironment();
  });

  it("loads every target in both file formats, row by row as written, tools and arguments untouched", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const { python } = environment;
    const folder = temporaryFolder("store");
    const ways = await exportAll(folder);
    const verl = ways.find(({ way }) => way.includes("/verl/") && way.endsWith("train.parquet"));
    const read = await promisify(execFile)(python, [
      join(import.meta.dirname, "read_verl.py"),
      verl?.way ?? "",
      verl?.truth ?? "",
    ]);
    expect(JSON.parse(read.stdout)).toEqual({ rows: verl?.rows, differing: [] });
    const [first] = ways;
    const altered = join(temporaryFolder("altered"), "altered.jsonl");
    const text = await readFile(first?.truth ?? "", "utf8");
    await writeFile(altered, text.replace('{"command":', '{"commanD":'));
    const home = temporaryFolder("home");
    const env = {
      ...process.env,
      HF_HUB_OFFLINE: "1",
      HF_HOME: home,
      HF_DATASETS_CACHE: join(home, "cache"),
    };
    const script = join(import.meta.dirname, "load_targets.py");
    const { stdout } = await promisify(execFile)(
      python,
      [script, ...[...ways.flatMap(({ way, truth }) => [way, truth]), altered, first?.truth ?? ""]],
      {
        env,
        maxBuffer: 1 << 26,
      },
    );
    const loaded = loadedSchema.parse(JSON.parse(stdout));
    expect(ways.length).toBe(TARGET_IDS.length * 2 + ALONE.length);
    expect(loaded[altered]?.differences, "one letter of an argument is seen").toHaveLength(1);
    for (const { target, way, rows } of ways) {
      const columns = targetOf(target).columns.map(({ name }) => name);
      expect({ target, ...loaded[way] }).toEqual({ target, rows, columns, differences: [] });
    }
  });
});

interface Way {
  readonly target: TargetId;
  /** A dataset's folder, or one of its files. */
  readonly way: string;
  /** The JSON Lines with the same rows. */
  readonly truth: string;
  readonly rows: number;
}

/** Writes every target twice from one store. */
async function exportAll(folder: string): Promise<readonly Way[]> {
  const drop = temporaryFolder("drop");
  await writeFile(join(drop, "attempts.jsonl"), `${attemptLines(6).join("\n")}\n`);
  await writeFile(join(drop, "atif.json"), atifDocument({ task: "atif", success: true }));
  const settings = await taskSettings(makePlan());
  const compute = new InlineCompute(settings);
  const local = openForWriting(folder);
  try {
    await runDrop({ drop, local, compute, settings: settings.ingest });
    const { store, catalog } = local;
    const ports = { store, catalog, compute, clock: { now: () => 0 } };
    const ways: Way[] = [];
    for (const target of TARGET_IDS) {
      const made: { readonly path: string; readonly rows: number }[] = [];
      for (const files of ["jsonl", "parquet"] as const) {
        const split = { train: 1, validation: 0, test: 0 };
        const result = await exportDataset(
          datasetRequestSchema.parse({ target, files, split, name: target }),
          ports,
        );
        if (result.kind === "empty") throw new Error(`${target} has no rows`);
        made.push({ path: join(folder, result.prefix), rows: result.manifest.rows });
      }
      const [jsonl, parquet] = made;
      if (jsonl === undefined || parquet === undefined) throw new Error("two formats are asked for");
      const truth = join(jsonl.path, "train.jsonl");
      for (const { path: way, rows } of made) ways.push({ target, way, truth, rows });
      const file = join(parquet.path, "train.parquet");
      if (ALONE.includes(target)) ways.push({ target, way: file, truth, rows: parquet.rows });
    }
    return ways;
  } finally {
    await local.close();
  }
}
