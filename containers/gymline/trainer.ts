import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { UsageError } from "./usage-error.ts";

const here = import.meta.dirname;
/** Where the Python scripts stand, in the repository as in the package. */
const scripts = resolve(here, "../trainer");
/** Two levels up in the repository, three in the package (`dist/`). */
const root = [resolve(here, "../.."), resolve(here, "../../..")].find((folder) =>
  existsSync(join(folder, "package.json")),
);

/**
 * The Python that has what a trainer script needs: the given one, else that of `.venv` in the project's folder.
 * @throws UsageError which says how to install it
 */
export function trainerPython(options: {
  readonly python: string | undefined;
  /** Extra of `containers/trainer/pyproject.toml`. */
  readonly extra: string;
  readonly modules: readonly string[];
}): string {
  const { python: given, extra, modules } = options;
  const python = given ?? ownPython();
  if (python === undefined) throw new UsageError(`there is no Python to train with: ${setUp(extra)}`);
  const probe = spawnSync(python, ["-c", `import ${modules.join(", ")}`], { encoding: "utf8" });
  if (probe.error !== undefined) {
    throw new UsageError(`${python} does not start (${probe.error.message}): ${setUp(extra)}`);
  }
  if (probe.status !== 0) {
    const reason = probe.stderr.trim().split("\n").at(-1) ?? "";
    throw new UsageError(`${python} lacks what training needs (${reason}): ${setUp(extra)}`);
  }
  return python;
}

function ownPython(): string | undefined {
  const folders = root === undefined ? [] : [join(root, ".venv")];
  return folders
    .flatMap((folder) => [join(folder, "bin/python"), join(folder, "Scripts/python.exe")])
    .find((path) => existsSync(path));
}

function setUp(extra: string): string {
  const other = "or name one that has it with --python";
  if (root !== undefined && existsSync(join(root, "bootstrap.mjs"))) {
    return `run npm run trainer:setup in ${root} (needs Python 3.11 or newer), ${other}`;
  }
  return `run python3 -m venv .venv && .venv/bin/pip install "${scripts}[${extra}]" (Python 3.11 or newer), ${other}`;
}

/** Runs a script of the trainer with this process's terminal. Gives its exit code. */
export async function runTrainer(
  python: string,
  script: "critic.py",
  args: readonly string[],
): Promise<number> {
  const child = spawn(python, [join(scripts, script), ...args], { stdio: ["ignore", "inherit", "inherit"] });
  const { promise, resolve: settle, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("exit", (code) => settle(code ?? 1));
  return promise;
}
