import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { z } from "zod";
import { writeCorpus } from "./corpus.ts";
import type { Figure } from "./figure.ts";
import { median } from "./median.ts";

const root = resolve(import.meta.dirname, "../..");
const MIB = 1 << 20;
const ROUNDS = 3;

const CASES = [
  { label: "trl, JSONL", target: "trl", files: "jsonl" },
  { label: "trl, Parquet", target: "trl", files: "parquet" },
  { label: "trl-dpo, JSONL", target: "trl-dpo", files: "jsonl" },
  { label: "grpo-offline, JSONL", target: "grpo-offline", files: "jsonl" },
] as const;

const usageSchema = z.object({ cpu: z.number(), resident: z.number() });
const resultSchema = z.object({
  manifest: z.object({
    rows: z.number(),
    files: z.array(z.object({ bytes: z.number() })),
    selection: z.object({ selected: z.number() }),
  }),
});

interface Cost {
  readonly seconds: number;
  readonly cpu: number;
}

/** The least that could be done, in one thread: read and unpack as many documents, hash and write as many bytes. */
function floor(documents: readonly string[], to: { readonly path: string; readonly bytes: number }): Cost {
  const started = performance.now();
  const before = process.cpuUsage();
  const hash = createHash("sha256");
  const file = openSync(to.path, "w");
  const each = Math.ceil(to.bytes / documents.length);
  let left = to.bytes;
  for (const path of documents) {
    const json = zstdDecompressSync(readFileSync(path));
    for (let due = Math.min(each, left); due > 0; ) {
      const bytes = json.subarray(0, due);
      hash.update(bytes);
      writeSync(file, bytes);
      due -= bytes.length;
      left -= bytes.length;
    }
  }
  hash.digest("hex");
  closeSync(file);
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 };
}

/** `gymline` as a user starts it, start included. */
function gymline(args: readonly string[], folder: string): Cost & { readonly stdout: string } {
  const usage = join(folder, "usage.json");
  const program = ["--import", join(root, "test/bench/usage.ts"), join(root, "containers/gymline/main.ts")];
  const started = performance.now();
  const run = spawnSync(process.execPath, [...program, ...args, "--json"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 256 * MIB,
    env: { ...process.env, GYMLINE_USAGE_FILE: usage },
  });
  const seconds = (performance.now() - started) / 1000;
  if (run.status !== 0) throw new Error(`${args[0]} ended with ${run.status}: ${run.stderr.slice(0, 2000)}`);
  return { seconds, cpu: usageSchema.parse(JSON.parse(readFileSync(usage, "utf8"))).cpu, stdout: run.stdout };
}

/** Exports from a store against the floor on the same documents and as many bytes, in turn; the medians' ratio counts. */
export function benchExport(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), "gymline-bench-"));
  try {
    const drop = join(folder, "drop");
    writeCorpus({ folder: drop, bytes: 192 * MIB, files: 6, seed: 3, samePrompts: true });
    const out = join(folder, "out");
    gymline(["run", drop, "--out", out, "--success", "any"], folder);
    const documents = readdirSync(join(out, "trajectories"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".zst"))
      .map((name) => join(out, "trajectories", name));
    return CASES.flatMap(({ label, target, files }, index) => {
      const floors: Cost[] = [];
      const exports: Cost[] = [];
      let bytes = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const name = `bench-${index}-${round}`;
        const args = ["export", "--store", out, "--target", target, `--${files}`, "--success", "any"];
        const made = gymline([...args, "--name", name], folder);
        const { manifest } = resultSchema.parse(JSON.parse(made.stdout));
        bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
        exports.push(made);
        const read = documents.slice(0, manifest.selection.selected);
        floors.push(floor(read, { path: join(folder, `floor-${index}-${round}`), bytes }));
      }
      const [base, whole] = [floors, exports].map((costs) => median(costs.map(({ seconds }) => seconds)));
      const [baseCpu, wholeCpu] = [floors, exports].map((costs) => median(costs.map(({ cpu }) => cpu)));
      if (base === undefined || whole === undefined || baseCpu === undefined || wholeCpu === undefined)
        throw new Error("nothing was measured");
      const share = base / whole;
      return [
        { name: `export ${label}: written`, value: bytes / 1e6, unit: "MB" },
        { name: `export ${label}: speed`, value: bytes / 1e6 / whole, unit: "MB/s" },
        { name: `export ${label}: floor, one thread`, value: bytes / 1e6 / base, unit: "MB/s" },
        {
          name: `export ${label}: share of the floor`,
          value: share,
          unit: "",
          goal: "≥ 0.25",
          ok: share >= 0.25,
        },
        { name: `export ${label}: processor time against the floor`, value: wholeCpu / baseCpu, unit: "×" },
      ];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
