import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { criticReport } from "../../containers/gymline/critic-report.ts";
import { runTrainer, trainerPython } from "../../containers/gymline/trainer.ts";
import { CRITIC_DOCUMENT, parseCritic } from "../../shared/critic/critic-document.ts";
import { criticRun } from "../../shared/critic/critic-run.ts";
import { criticTableHeader, criticTableLines } from "../../shared/critic/critic-table.ts";
import { profileFor } from "../../shared/stages/score-trajectory.ts";
import { trajectorySchema } from "../../shared/trajectory/schema.ts";

/*
 * How good a critic gets on labelled trajectories:
 *
 *   node test/measure/critic.ts <folder> --out <folder> [--seed 0] [--held <file>] [--table-only]
 *
 * <folder> holds canonical documents and labels.jsonl: {"file", "set", "group", "task", "label"} a line, the file
 * relative to the folder. Writes table.jsonl, critic.onnx and critic.json into --out and prints the report. --held: what
 * critics that had not seen the group say of every prefix, for critic-total.ts.
 */

const labelSchema = z.object({
  file: z.string(),
  set: z.string(),
  group: z.string(),
  task: z.string(),
  label: z.union([z.boolean(), z.literal(0), z.literal(1)]),
});

const { values, positionals } = parseArgs({
  options: {
    out: { type: "string", default: "out/critic" },
    seed: { type: "string", default: "0" },
    held: { type: "string" },
    "table-only": { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const [folder] = positionals;
if (folder === undefined) throw new Error("give the folder with labels.jsonl");
mkdirSync(values.out, { recursive: true });
const table = resolve(values.out, "table.jsonl");
await writeTable(folder, table);
if (!values["table-only"]) process.exitCode = await train(table);

async function writeTable(from: string, path: string): Promise<void> {
  const stream = createWriteStream(path);
  stream.write(criticTableHeader());
  for (const line of readFileSync(join(from, "labels.jsonl"), "utf8").split("\n")) {
    if (line.trim() === "") continue;
    const { file, set, group, task, label } = labelSchema.parse(JSON.parse(line));
    const trajectory = trajectorySchema.parse(JSON.parse(readFileSync(join(from, file), "utf8")));
    const run = criticRun(trajectory, profileFor(trajectory, undefined));
    const success = label === true || label === 1;
    stream.write(criticTableLines({ id: file, group, task, set, success, run }));
  }
  const { promise, resolve: settle } = Promise.withResolvers<void>();
  stream.end(settle);
  await promise;
}

async function train(path: string): Promise<number> {
  const python = trainerPython({ python: undefined, extra: "critic", modules: ["sklearn", "onnx"] });
  const code = await runTrainer(python, "critic.py", [
    "--table",
    path,
    "--out",
    values.out,
    "--seed",
    values.seed,
    ...(values.held === undefined ? [] : ["--held", values.held]),
  ]);
  if (code !== 0) return code;
  const source = join(values.out, CRITIC_DOCUMENT);
  process.stdout.write(`${criticReport(parseCritic(readFileSync(source, "utf8"), source))}\n`);
  return 0;
}
