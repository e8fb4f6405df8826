import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import { writeCorpus } from "./corpus.ts";
import type { Figure } from "./figure.ts";
import { median } from "./median.ts";

const root = resolve(import.meta.dirname, "../..");
const MIB = 1 << 20;

/** Wall and processor time, in seconds. */
interface Cost {
  readonly seconds: number;
  readonly cpu: number;
}

/**
 * The least that could be done to the same bytes, one thread: read, parse, hash and compress each record and write
 * it to a file of its own.
 */
function floor(paths: readonly string[], folder: string): Cost {
  mkdirSync(folder, { recursive: true });
  const started = performance.now();
  const before = process.cpuUsage();
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
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 };
}

/** The whole program on the same bytes, as a user starts it, and its largest resident set in bytes. */
function chain(drop: string, out: string): Cost & { readonly resident: number } {
  const peak = join(out, "..", "peak.json");
  const program = ["--import", join(root, "test/bench/usage.ts"), join(root, "containers/gymline/main.ts")];
  const started = performance.now();
  const run = spawnSync(
    process.execPath,
    [...program, "run", drop, "--out", out, "--success", "any", "--json"],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 256 * MIB,
      env: { ...process.env, GYMLINE_USAGE_FILE: peak },
    },
  );
  const seconds = (performance.now() - started) / 1000;
  if (run.status !== 0) throw new Error(`the run ended with ${run.status}: ${run.stderr.slice(0, 2000)}`);
  return { seconds, ...usageSchema.parse(JSON.parse(readFileSync(peak, "utf8"))) };
}

const usageSchema = z.strictObject({ cpu: z.number(), resident: z.number() });

/** Whole chain against the floor, in turn on the same bytes, three times; the medians' ratio counts. */
export function benchChain(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), "gymline-bench-"));
  try {
    const corpus = writeCorpus({ folder: join(folder, "drop"), bytes: 256 * MIB, files: 8, seed: 1 });
    const floors: Cost[] = [];
    const chains: Cost[] = [];
    for (let round = 0; round < 3; round += 1) {
      // What they write is removed at the end: for a minute after files were deleted, ext4 makes new ones slowly.
      floors.push(floor(corpus.paths, join(folder, `floor-${round}`)));
      chains.push(chain(join(folder, "drop"), join(folder, `out-${round}`)));
    }
    const megabytes = corpus.bytes / 1e6;
    const cores = availableParallelism();
    const base = median(floors.map(({ seconds }) => seconds));
    const whole = median(chains.map(({ seconds }) => seconds));
    const perCore = (whole * cores) / base;
    const cpu = median(chains.map((cost) => cost.cpu)) / median(floors.map((cost) => cost.cpu));
    return [
      { name: "chain: corpus", value: megabytes, unit: `MB in ${corpus.rows} rows` },
      { name: "chain: floor, one thread", value: megabytes / base, unit: "MB/s" },
      { name: `chain: whole, ${cores} cores`, value: megabytes / whole, unit: "MB/s" },
      {
        name: "chain: core time against the floor",
        value: perCore,
        unit: "×",
        goal: "≤ 4",
        ok: perCore <= 4,
      },
      { name: "chain: processor time against the floor", value: cpu, unit: "×" },
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
