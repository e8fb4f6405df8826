import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { z } from "zod";
import { type Manifest, manifestSchema } from "../../shared/dataset/manifest.ts";
import type { TargetId } from "../../shared/dataset/targets/targets.ts";

const run = promisify(execFile);
const PROGRAM = join(import.meta.dirname, "export-at-scale.ts");

/** Bytes that a plan may hold of each trajectory, with its task's key and the set that finds repetitions. */
const PLANNED_BYTES = 200;

const planSchema = z.object({ bytes: z.number(), trajectories: z.number() });
const exportSchema = z.object({
  manifest: manifestSchema,
  prefix: z.string(),
  written: z.record(z.string(), z.object({ bytes: z.number(), lines: z.number(), sha256: z.string() })),
  resident: z.number(),
  seconds: z.number(),
  processorSeconds: z.number(),
});

interface Scale {
  readonly folder: string;
  readonly rows: number;
  /** What the heap of the exporting process may hold. */
  readonly heapMiB: number;
  /** What the whole of that process may be resident with at its peak. */
  readonly residentMiB: number;
}

type Filled = Pick<Scale, "folder" | "rows">;

export async function fillCatalog({ folder, rows }: Filled): Promise<void> {
  await run(process.execPath, [PROGRAM, "fill", folder, String(rows)]);
}

/** Plans in a process of its own, and checks what the plan holds in memory. */
export async function planAtScale(target: TargetId, { folder, rows }: Filled): Promise<void> {
  const request = JSON.stringify({ target });
  const { stdout } = await run(process.execPath, [
    ...["--expose-gc", PROGRAM, "plan", folder, String(rows), request],
  ]);
  const plan = planSchema.parse(JSON.parse(stdout));
  expect([target, plan.bytes < PLANNED_BYTES * plan.trajectories, plan]).toEqual([target, true, plan]);
}

/** Exports in a process of its own with a small heap; checks its memory, counts, hashes and splits, and says what it took. */
export async function exportAtScale(
  target: TargetId,
  { folder, rows, heapMiB, residentMiB }: Scale,
  more: { readonly name?: string; readonly threads?: number; readonly files?: "jsonl" | "parquet" } = {},
): Promise<Manifest> {
  const { name = target, threads = 0, files } = more;
  const request = JSON.stringify({ target, name, ...(files === undefined ? {} : { files }) });
  const limit = `--max-old-space-size=${heapMiB}`;
  const args = [limit, PROGRAM, "export", folder, String(rows), request, String(threads)];
  const { stdout } = await run(process.execPath, args);
  const { manifest, prefix, written, ...took } = exportSchema.parse(JSON.parse(stdout));
  const resident = Math.round(took.resident / (1 << 20));
  process.stdout.write(
    `${name}: ${manifest.rows} rows of ${rows} trajectories in ${took.seconds.toFixed(0)} s, ${took.processorSeconds.toFixed(0)} s of processor time; peak resident memory ${resident} MiB, heap limit ${heapMiB} MiB\n`,
  );
  expect([name, resident < residentMiB, resident]).toEqual([name, true, resident]);
  const { considered, selected, excluded } = manifest.selection;
  const left = Object.values(excluded).reduce((sum, count) => sum + count, 0);
  expect([considered, selected + left]).toEqual([rows, rows]);
  for (const { path, bytes, sha256, rows: lines } of manifest.files) {
    expect(written[prefix + path]).toMatchObject({ bytes, sha256 });
    if (path.endsWith(".jsonl")) expect(written[prefix + path]?.lines).toBe(lines);
  }
  expect(manifest.files.reduce((sum, file) => sum + file.rows, 0)).toBe(manifest.rows);
  return manifest;
}

/** What the synthetic store must give: 8 attempts at a task, of which three in five succeed and one in 50 repeats another. */
export function expectSynthetic(target: TargetId, manifest: Manifest, rows: number): void {
  const tasks = rows / 8;
  const total = manifest.files.reduce((sum, file) => sum + file.tasks, 0);
  expect([target, total]).toEqual([target, tasks]);
  if (target === "trl") {
    // Of two that act alike, one is taken.
    expect(manifest.rows).toBeGreaterThan(0.57 * rows);
    expect(manifest.rows).toBeLessThan(0.6 * rows);
    expect(manifest.selection.excluded["did not succeed"]).toBe(0.4 * rows);
  } else if (target === "verl-rl") expect(manifest.rows).toBe(tasks);
  else if (target === "grpo-offline") expect(manifest.rows).toBe(rows);
  else expect(manifest.rows).toBeLessThanOrEqual(rows / 2);
  const train = manifest.files.find(({ split }) => split === "train");
  // Four standard deviations of a share that chance decides task by task.
  expect(Math.abs((train?.tasks ?? 0) / tasks - 0.9)).toBeLessThan(4 * Math.sqrt(0.09 / tasks));
}
