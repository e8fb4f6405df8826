import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { UsageError } from "./usage-error.ts";

const here = import.meta.dirname;
/** Where the Python scripts stand, in the repository as in the package. */
const scripts = resolve(here, "../trainer");
/** A script by its file, or a module of the package beside them. */
export type TrainerProgram =
  | "critic.py"
  | "sft.py"
  | "dpo.py"
  | "grpo.py"
  | "prm.py"
  | "eval_model.py"
  | "export.py"
  | "new_model.py"
  | "gymline_trainer.preview";

/** A module that prints what a program reads. */
type TrainerQuestion = "gymline_trainer.plan";

/** Extra of `containers/trainer/pyproject.toml`. */
type Extra = "critic" | "train";

/** Two levels up in the repository, three in the package (`dist/`). */
const root = [resolve(here, "../.."), resolve(here, "../../..")].find((folder) =>
  existsSync(join(folder, "package.json")),
);

/**
 * The Python that has what a trainer script needs: the given one, else that of `.venv` in the project's folder, else in
 * the working folder.
 * @throws UsageError which says how to install it
 */
export function trainerPython(options: {
  readonly python: string | undefined;
  readonly extra: Extra;
  readonly modules: readonly string[];
  /** Where there is neither; by default, none. */
  readonly otherwise?: string;
}): string {
  const { python: given, extra, modules, otherwise } = options;
  const python = given ?? ownPython() ?? otherwise;
  if (python === undefined) throw new UsageError(`there is no Python to train with: ${setUp(extra)}`);
  // Found, not imported: importing torch takes seconds, and the script will do it anyway.
  const probe = spawnSync(python, ["-c", PROBE, ...modules], { encoding: "utf8" });
  if (probe.error !== undefined) {
    throw new UsageError(`${python} does not start (${probe.error.message}): ${setUp(extra)}`);
  }
  if (probe.status !== 0) {
    const reason = probe.stderr.trim().split("\n").at(-1) ?? "";
    throw new UsageError(`${python} lacks what training needs (${reason}): ${setUp(extra)}`);
  }
  return python;
}

const PROBE = `import sys
from importlib.util import find_spec
missing = [name for name in sys.argv[1:] if find_spec(name) is None]
sys.exit("no module named " + ", ".join(missing) if missing else 0)`;

function ownPython(): string | undefined {
  const folders = [...(root === undefined ? [] : [root]), process.cwd()].map((folder) =>
    join(folder, ".venv"),
  );
  return folders
    .flatMap((folder) => [join(folder, "bin/python"), join(folder, "Scripts/python.exe")])
    .find((path) => existsSync(path));
}

function setUp(extra: Extra): string {
  const other = "or name one that has it with --python";
  if (root !== undefined && existsSync(join(root, "bootstrap.mjs"))) {
    return `run npm run trainer:setup${extra === "train" ? " -- --train" : ""} in ${root} (needs Python 3.11 or newer), ${other}`;
  }
  return `run python3 -m venv .venv && .venv/bin/pip install "${scripts}[${extra}]" (Python 3.11 or newer), ${other}`;
}

/**
 * Runs a program of the trainer with this process's terminal, and hands on the signals that this process gets.
 * @returns its exit code; 128 and the signal's number where a signal ended it
 */
export async function runTrainer(
  python: string,
  program: TrainerProgram,
  args: readonly string[],
): Promise<number> {
  const path = [scripts, process.env["PYTHONPATH"] ?? ""].filter((part) => part !== "").join(delimiter);
  // What is printed is seen at once, also in a log file.
  const env = { ...process.env, PYTHONPATH: path, PYTHONUNBUFFERED: "1" };
  const first = program.endsWith(".py") ? [join(scripts, program)] : ["-m", program];
  const child = spawn(python, [...first, ...args], { stdio: ["ignore", "inherit", "inherit"], env });
  const { promise, resolve: settle, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("exit", (code, signal) =>
    settle(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
  );
  const hand = (signal: NodeJS.Signals): void => {
    // A terminal sends Ctrl-C to the child as well; twice would interrupt it as it ends.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, hand);
  try {
    return await promise;
  } finally {
    for (const signal of SIGNALS) process.off(signal, hand);
  }
}

/** What a module of the trainer prints. @throws UsageError with what it says where it refuses */
export function askTrainer(python: string, module: TrainerQuestion, args: readonly string[]): string {
  const env = { ...process.env, PYTHONPATH: scripts, PYTHONDONTWRITEBYTECODE: "1" };
  const { status, stdout, stderr } = spawnSync(python, ["-m", module, ...args], { encoding: "utf8", env });
  if (status === 0) return stdout;
  throw new UsageError(stderr.trim().replace(/^error: /, "") || `${module} ended with ${String(status)}`);
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
