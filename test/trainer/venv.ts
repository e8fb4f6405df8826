import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type PythonEnvironment, pythonEnvironment } from "../../infra/local/python-environment.ts";

const root = resolve(import.meta.dirname, "../..");
const trainer = join(root, "containers/trainer");

/** A Python with what the trainer scripts and their tests need; made once, in `.cache/`. */
export async function trainerEnvironment(): Promise<PythonEnvironment> {
  const project = await readFile(join(trainer, "pyproject.toml"));
  return pythonEnvironment({
    folder: join(root, ".cache/trainer-venv"),
    minors: [13, 12, 11, 14],
    installs: [["--only-binary", "numpy,scipy,scikit-learn,onnx,onnxruntime", `${trainer}[critic,train,test]`]],
    revision: createHash("sha256").update(project).digest("hex"),
  });
}
