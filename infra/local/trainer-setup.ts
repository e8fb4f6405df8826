import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { pythonEnvironment } from "./python-environment.ts";
import { type TrainerExtra, trainerPlan } from "./trainer-environment.ts";

/* Makes `.venv` with what the trainer scripts need: `npm run trainer:setup`. */

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, ".venv");
const stamp = join(folder, "stamp.json");

const HELP = `usage: npm run trainer:setup [-- --train]

Makes .venv with the Python packages of the trainer scripts (Python 3.11 to 3.14).

  (nothing)  what gymline critic train needs: scikit-learn and ONNX, 0.4 GB
  --train    that, and what gymline train needs: PyTorch, Transformers and TRL, 5.5 GB

Once made with --train, .venv keeps both; remove it to go back.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const asked = read(args);
  if (asked === undefined) return 1;
  if (asked.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (existsSync(folder) && !existsSync(stamp)) {
    process.stderr.write(
      `gymline: ${folder} was made by something else and stays as it is; remove it and run this again, or give ` +
        "gymline critic train and gymline train a Python with --python\n",
    );
    return 1;
  }
  const extras: readonly TrainerExtra[] = asked.train || hasTrain() ? ["critic", "train"] : ["critic"];
  process.stderr.write(
    `gymline: installing the trainer's Python packages into .venv (once${extras.includes("train") ? ", 5.5 GB" : ""})…\n`,
  );
  const environment = await pythonEnvironment(await trainerPlan(folder, extras));
  if (environment.kind === "absent") {
    process.stderr.write(`gymline: ${environment.reason}; mend that and run the command again\n`);
    return 1;
  }
  process.stdout.write(`${environment.python}\n`);
  return 0;
}

function read(args: readonly string[]): { readonly train: boolean; readonly help: boolean } | undefined {
  try {
    const options = { train: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
    const { values } = parseArgs({ args: [...args], options });
    return { train: values.train === true, help: values.help === true };
  } catch (error) {
    process.stderr.write(`gymline: ${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return undefined;
  }
}

/** Whether `.venv` was made with --train before: it would be a loss to take that away. */
function hasTrain(): boolean {
  return existsSync(stamp) && readFileSync(stamp, "utf8").includes("[critic,train]");
}
