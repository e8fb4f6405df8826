import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readingLimitsSchema } from "../../shared/reading/limits.ts";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { ingestRecord } from "../../shared/stages/ingest-record.ts";
import { ingestSettings } from "../../shared/stages/ingest-settings.ts";
import { builtinFormats } from "../../shared/trajectory/formats/builtin.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { BareRepository, locateRepository } from "./bare-repository.ts";
import { type LabelledRun, type LabelledSet, labelledSets } from "./labelled-sets.ts";

/**
 * node test/measure/fetch.ts [--from <url or folder of bare mirrors>] [--to .cache/labelled] [set…]
 *
 * Writes the runs of the public labelled sets as canonical documents, `<to>/<set>/<name>.json`, and their
 * labels to `labels.jsonl` beside them, and of all sets to `<to>/labels.jsonl`. The documents hold nothing that says how a run ended.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: "string", default: "https://github.com" },
    to: { type: "string", default: ".cache/labelled" },
  },
});

const limits = readingLimitsSchema.parse({});
const redaction = redactionConfigSchema.parse({});

const chosen = labelledSets.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (chosen.length === 0) {
  throw new Error(`no such set; there are ${labelledSets.map(({ name }) => name).join(", ")}`);
}
for (const set of chosen) await fetchSet(set);
await joinLabels();

async function fetchSet(set: LabelledSet): Promise<void> {
  const { from, to } = values;
  const { repository: name, commit } = set;
  const folder = await locateRepository({ from, repository: name, commit, cache: join(to, ".repositories") });
  const repository = await BareRepository.open(folder, commit);
  const target = join(to, set.name);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const labels = join(target, "labels.jsonl");
  const tally = { runs: 0, solved: 0, rejected: 0 };
  try {
    for await (const run of set.runs(repository)) {
      const document = canonical(run);
      if (document === null) {
        tally.rejected++;
        continue;
      }
      const file = `${set.name}/${run.name.replace(/[^\w.-]+/g, "_")}.json`;
      await writeFile(join(to, file), JSON.stringify(document));
      const { group, task, label } = run;
      await appendFile(labels, `${JSON.stringify({ file, set: set.name, group, task, label })}\n`);
      tally.runs++;
      tally.solved += label;
    }
  } finally {
    repository.close();
  }
  const absent =
    repository.missing.length === 0 ? "" : `, ${repository.missing.length} files not in the repository`;
  process.stdout.write(
    `${set.name}: ${tally.runs} runs, ${tally.solved} solved, ${tally.rejected} rejected${absent}\n`,
  );
}

/** `<to>/labels.jsonl`: the labels of every set that is there. */
async function joinLabels(): Promise<void> {
  const files = labelledSets.map(({ name }) => join(values.to, name, "labels.jsonl")).filter(existsSync);
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  await writeFile(join(values.to, "labels.jsonl"), texts.join(""));
}

/** The run as this project would store it, without its outcome. */
function canonical(run: LabelledRun): Trajectory | null {
  const settings = ingestSettings({
    formats: builtinFormats,
    limits,
    redaction,
    ...(run.format === undefined ? {} : { forced: run.format }),
  });
  const bytes = Buffer.from(JSON.stringify(run.log));
  const read = ingestRecord({ source: `${run.name}.json`, index: 0, bytes, framing: "document" }, settings);
  const trajectory = read.trajectories[0]?.trajectory;
  if (trajectory === undefined) return null;
  const { metadata: _, ...facts } = trajectory.extra.gymline;
  return { ...trajectory, extra: { gymline: { ...facts, outcome: { success: null } } } };
}
