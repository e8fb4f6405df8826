import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { pythonEnvironment } from "../../infra/local/python-environment.ts";
import type { Figure } from "./figure.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const TRAJECTORIES = 100_000;
/** Rows that datasketch gets too: it is timed on a share, or it would take most of the benchmark. */
const SHARED = 5_000;

const oursSchema = z.object({
  tracingSeconds: z.number(),
  reportSeconds: z.number(),
  resident: z.number(),
  bytes: z.number(),
  checked: z.number(),
  duplicates: z.number(),
  sharedSeconds: z.number(),
});
const theirsSchema = z.object({ seconds: z.number(), found: z.number() });

/** Near-duplicates among 100,000 synthetic trajectories in one process, and the same rows through datasketch. */
export async function benchMinhash(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "gymline-minhash-"));
  try {
    const rows = join(folder, "rows.bin");
    const program = join(root, "test/bench/minhash-run.ts");
    const { stdout } = await run(process.execPath, [program, String(TRAJECTORIES), String(SHARED), rows]);
    const ours = oursSchema.parse(JSON.parse(stdout));
    const planted = TRAJECTORIES / 10;
    const figures: Figure[] = [
      {
        name: "minhash: trajectories read to traces",
        value: TRAJECTORIES / ours.tracingSeconds,
        unit: "trajectories/s",
      },
      {
        name: "minhash: traces compared",
        value: TRAJECTORIES / ours.reportSeconds,
        unit: "trajectories/s",
      },
      {
        name: "minhash: planted near-duplicates found",
        value: ours.duplicates / planted,
        unit: "of all",
        goal: "≥ 0.95",
        ok: ours.duplicates >= 0.95 * planted,
      },
      { name: "minhash: exact comparisons a trajectory", value: ours.checked / TRAJECTORIES, unit: "" },
      { name: "minhash: features held a trajectory", value: ours.bytes / TRAJECTORIES, unit: "bytes" },
      {
        name: "minhash: peak resident memory, 100,000",
        value: ours.resident / 2 ** 20,
        unit: "MiB",
        goal: "< 1024 MiB",
        ok: ours.resident < 2 ** 30,
      },
      { name: "minhash: 5,000 rows of features", value: SHARED / ours.sharedSeconds, unit: "rows/s" },
    ];
    const python = await pythonEnvironment({
      folder: join(root, ".cache/datasketch-venv"),
      minors: [13, 12, 11],
      installs: [["--only-binary", ":all:", "datasketch==2.0.0"]],
    });
    if (python.kind === "absent") {
      console.log(`minhash: datasketch is not measured: ${python.reason}`);
      return figures;
    }
    const reference = await run(python.python, [join(root, "test/bench/datasketch_rows.py"), rows]);
    const { seconds } = theirsSchema.parse(JSON.parse(reference.stdout));
    return [
      ...figures,
      { name: "minhash: the same rows, datasketch", value: SHARED / seconds, unit: "rows/s" },
      { name: "minhash: times as fast as datasketch", value: seconds / ours.sharedSeconds, unit: "×" },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
