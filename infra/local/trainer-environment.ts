import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { EnvironmentPlan } from "./python-environment.ts";

const trainer = join(resolve(import.meta.dirname, "../.."), "containers/trainer");

/** Parts of `containers/trainer/pyproject.toml` that may be asked for. */
export type TrainerExtra = "critic" | "train" | "test";

/** Packages that are never built here: a compiler and hours would be needed. */
const BINARY = "numpy,scipy,scikit-learn,onnx,onnxruntime,torch,tokenizers,safetensors,pyarrow,pandas";

/** A Python with what these parts name, which is made anew when the file has changed. */
export async function trainerPlan(folder: string, extras: readonly TrainerExtra[]): Promise<EnvironmentPlan> {
  const project = await readFile(join(trainer, "pyproject.toml"));
  return {
    folder,
    minors: [13, 12, 11, 14],
    installs: [["--only-binary", BINARY, `${trainer}[${extras.join()}]`]],
    revision: createHash("sha256").update(project).digest("hex"),
  };
}
