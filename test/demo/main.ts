import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { runLoop } from "./loop.ts";
import { FULL, SMALL } from "./sizes.ts";
import { Workplace } from "./workplace.ts";

/* The loop on two cores in minutes: `npm run demo:loop`. docs/DEMO.md tells what it does. */

const HELP = `usage: npm run demo:loop [-- --seed <n>] [--out <dir>] [--python <path>] [--small]

A model that knows nothing learns to run errands, and the gate decides whether it did.

  --seed <n>       of tasks, weights and all that is drawn (default: 1)
  --out <dir>      folder for everything; it must not exist yet (default: demo-loop)
  --python <path>  Python with the trainer's packages (default: .venv, which is made where it is missing)
  --small          fewer tasks, and no training on the model's own attempts
`;

const root = resolve(import.meta.dirname, "../..");

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { seed: text, out: text, python: text, small: flag, help: { ...flag, short: "h" } },
  });
  if (values.help === true) {
    say(HELP);
    return 0;
  }
  const seed = Number(values.seed ?? 1);
  if (!Number.isSafeInteger(seed) || seed < 0)
    return fail(`--seed takes a whole number, not "${values.seed}"`);
  const out = resolve(values.out ?? "demo-loop");
  if (existsSync(out)) return fail(`${out} is there already: remove it, or give another folder as --out`);
  if (values.python === undefined && !hasTrainer()) {
    const setup = [join(root, "infra/local/trainer-setup.ts"), "--train"];
    const { status } = spawnSync(process.execPath, setup, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) return 1;
  }
  const began = Date.now();
  const timed = (line: string): void => say(`${clock(Date.now() - began)}  ${line}`);
  const size = values.small === true ? SMALL : FULL;
  const { rounds, control } = await runLoop(new Workplace(out, { python: values.python }), {
    size,
    seed,
    say: timed,
  });
  const verdicts = [...rounds, control].map(({ version, decision }) => `${version}: ${decision.verdict}`);
  timed(verdicts.join(", "));
  say(`
In ${out}:
  commands.log       every command with its output
  report-*.html      the evaluations
  gymline models list errands        (in that folder) versions and states
  gymline models show errands/sft    what it was made of, and every number of the decision
  gymline trace <row>                from a row of a dataset to its log`);
  const [first] = rounds;
  return first?.decision.verdict === "promote" && control.decision.verdict === "reject" ? 0 : 2;
}

/** \`npm run trainer:setup\` alone leaves what cannot train a language model. */
function hasTrainer(): boolean {
  const python = join(root, ".venv/bin/python");
  return (
    existsSync(python) &&
    spawnSync(python, ["-c", "import importlib.util as u, sys; sys.exit(u.find_spec('torch') is None)"])
      .status === 0
  );
}

function clock(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, "0")}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(why: string): number {
  process.stderr.write(`gymline: ${why}\n\n${HELP}`);
  return 1;
}
