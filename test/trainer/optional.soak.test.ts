import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { optionalEnvironment, type PythonBeside } from "./venv.ts";

const scripts = resolve(import.meta.dirname, "../../containers/trainer");

/**
 * A run by sft.py. Where a CPU has AVX-512 for bfloat16, bitsandbytes brings its weights into a form for inference once a
 * model was evaluated, and cannot train on: that form is off here. On a GPU there is none.
 */
const RUN = `import pathlib, runs, sys, tiny
import bitsandbytes.nn.modules as quantized
quantized.has_avx512bf16 = lambda: False
work = pathlib.Path(sys.argv[1])
tiny.saved(work / "model", hidden_size=64, intermediate_size=128)
data = runs.dataset(work / "data", "sft", test=runs.rows_of("sft")[:2])
options = {"max_steps": 6, "learning_rate": 0.01, "qlora": True, "report_to": ["tensorboard"], "eval_split": "test"}
sys.exit(runs.train("sft", data=data, model=work / "model", out=work / "out", **options))`;

/** What TensorBoard reads of it: the values of a figure, in order. */
const READ = `import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
print(json.dumps({name: [one.value for one in events.Scalars(name)] for name in ("loss", "eval_loss")}))`;
const shownSchema = z.object({ loss: z.array(z.number()), eval_loss: z.array(z.number()) });

describe("packages that only some options need", () => {
  let found: PythonBeside = { kind: "absent", reason: "not looked for yet" };
  const work = mkdtempSync(join(tmpdir(), "gymline-trainer-optional-"));

  beforeAll(async () => {
    found = await optionalEnvironment();
  }, 1_800_000);
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  it("train an adapter on a model in 4 bits, and show TensorBoard how", async (context) => {
    if (found.kind === "absent") return context.skip(found.reason);
    const { python, packages } = found;
    const env = {
      ...process.env,
      PYTHONPATH: [packages, import.meta.dirname, scripts].join(":"),
      PYTHONDONTWRITEBYTECODE: "1",
      GYMLINE_TRAINER_CACHE: join(work, "cache"),
    };
    const run = promisify(execFile);
    const { stderr } = await run(python, ["-c", RUN, work], { env, maxBuffer: 1 << 26 });
    expect(stderr).toContain("16,384 of 105,024 weights are trained");
    expect(readFileSync(join(work, "out/trained/adapter_model.safetensors")).length).toBeGreaterThan(1000);
    expect(readFileSync(join(work, "out/model/model.safetensors")).length).toBeGreaterThan(1000);
    const read = await run(python, ["-c", READ, join(work, "out/gymline")], { env });
    const { loss, eval_loss: evaluated } = shownSchema.parse(JSON.parse(read.stdout));
    expect(loss).toHaveLength(6);
    expect(loss[5]).toBeLessThan((loss[0] ?? 0) - 0.2);
    expect(evaluated.length).toBeGreaterThan(0);
  });
});
