import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pythonEnvironment } from "./python-environment.ts";

/* Makes `.venv` with what the trainer scripts need: `npm run trainer:setup`. */

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, ".venv");
const trainer = join(root, "containers/trainer");

process.exitCode = await main();

async function main(): Promise<number> {
  if (existsSync(folder) && !existsSync(join(folder, "stamp.json"))) {
    process.stderr.write(
      `gymline: ${folder} was made by something else and stays as it is; remove it and run this again, or give ` +
        "gymline critic train a Python with --python\n",
    );
    return 1;
  }
  process.stderr.write("gymline: installing the trainer's Python packages into .venv (once)…\n");
  const environment = await pythonEnvironment({
    folder,
    minors: [13, 12, 11, 14],
    installs: [["--only-binary", "numpy,scipy,scikit-learn,onnx,onnxruntime", `${trainer}[critic]`]],
    revision: createHash("sha256")
      .update(readFileSync(join(trainer, "pyproject.toml")))
      .digest("hex"),
  });
  if (environment.kind === "absent") {
    process.stderr.write(`gymline: ${environment.reason}; mend that and run the command again\n`);
    return 1;
  }
  process.stdout.write(`${environment.python}\n`);
  return 0;
}
