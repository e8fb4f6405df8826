import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { writeCorpus } from "./corpus.ts";
import type { Figure } from "./figure.ts";

const root = resolve(import.meta.dirname, "../..");
const MIB = 1 << 20;

/**
 * The least that could be done to the same bytes, one thread: read, parse, hash and compress each record and write
 * it to a file of its own. Seconds.
 */
function floor(paths: readonly string[], folder: string): number {
  mkdirSync(folder, { recursive: true });
  const started = performance.now();
  for (const path of paths) {
    const bytes = readFileSync(path);
    let start = 0;
    while (start < bytes.length) {
      const newline = bytes.indexOf(10, start);
      const end = newline < 0 ? bytes.length : newline;
      const line = bytes.subarray(start, end);
      const value: unknown = JSON.parse(line.toString("utf8"));
      const id = createHash("sha256").update(line).digest("hex");
      if (typeof value === "object") writeFileSync(join(folder, `${id}.gz`), gzipSync(line, { level: 1 }));
      start = end + 1;
    }
  }
  return (performance.now() - started) / 1000;
}

/** The whole program on the same bytes, as a user starts it. Seconds, and the largest resident set in bytes. */
function chain(drop: string, out: string): { readonly seconds: number; readonly resident: number } {
  const peak = join(out, "..", "peak.json");
  const program = [
    "--import",
    join(root, "test/bench/peak-memory.ts"),
    join(root, "containers/gymline/main.ts"),
  ];
  const started = performance.now();
  const run = spawnSync(
    process.execPath,
    [...program, "run", drop, "--out", out, "--success", "any", "--json"],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 256 * MIB,
      env: { ...process.env, GYMLINE_PEAK_FILE: peak },
    },
  );
  const seconds = (performance.now() - started) / 1000;
  if (run.status !== 0) throw new Error(`the run ended with ${run.status}: ${run.stderr.slice(0, 2000)}`);
  return { seconds, resident: Number(readFileSync(peak, "utf8")) };
}

/** Whole chain against the floor, in turn on the same bytes, three times; the medians' ratio counts. */
export function benchChain(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), "gymline-bench-"));
  try {
    const { bytes, rows, paths } = writeCorpus({
      folder: join(folder, "drop"),
      bytes: 96 * MIB,
      files: 8,
      seed: 1,
    });
    const floors: number[] = [];
    const chains: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      floors.push(floor(paths, join(folder, `floor-${round}`)));
      const out = join(folder, `out-${round}`);
      chains.push(chain(join(folder, "drop"), out).seconds);
      rmSync(out, { recursive: true });
    }
    const [base, whole] = [median(floors), median(chains)];
    const cores = availableParallelism();
    const perCore = (whole * cores) / base;
    return [
      { name: "chain: corpus", value: bytes / 1e6, unit: `MB in ${rows} rows` },
      { name: "chain: floor, one thread", value: bytes / 1e6 / base, unit: "MB/s" },
      { name: `chain: whole, ${cores} cores`, value: bytes / 1e6 / whole, unit: "MB/s" },
      {
        name: "chain: core time against the floor",
        value: perCore,
        unit: "×",
        goal: "≤ 4",
        ok: perCore <= 4,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A 2 GB JSONL file in one piece: the largest resident set of the whole process. */
export function benchMemory(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), "gymline-bench-"));
  try {
    const bytes = 2e9;
    const corpus = writeCorpus({ folder: join(folder, "drop"), bytes, files: 1, seed: 2 });
    const { seconds, resident } = chain(join(folder, "drop"), join(folder, "out"));
    const mebibytes = resident / MIB;
    return [
      { name: "2 GB JSONL: rows", value: corpus.rows, unit: "rows" },
      { name: "2 GB JSONL: time", value: seconds, unit: "s" },
      {
        name: "2 GB JSONL: peak resident memory",
        value: mebibytes,
        unit: "MiB",
        goal: "< 512",
        ok: mebibytes < 512,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
