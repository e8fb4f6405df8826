import { cpus, totalmem } from "node:os";
import { benchChain, benchMemory } from "./chain.ts";
import { benchEnvironments } from "./environments.ts";
import { benchExport } from "./export.ts";
import type { Figure } from "./figure.ts";
import { benchFunctions } from "./functions.ts";
import { benchInference } from "./inference.ts";
import { benchJudge } from "./judge.ts";
import { benchMinhash } from "./minhash.ts";
import { benchPipeline } from "./pipeline.ts";
import { benchRules } from "./rules.ts";
import { benchSandbox } from "./sandbox.ts";
import { benchStart } from "./start.ts";
import { benchStatistics } from "./statistics.ts";
import { benchTrain } from "./train.ts";
import { benchTrainOptions } from "./train-options.ts";
import { benchWarm } from "./warm.ts";

/** `npm run bench [-- rules|chain|memory|functions|warm|pipeline|judge|minhash|export|environments|sandbox|inference|start|statistics|train|train-options]`: figures for docs/BENCHMARKS.md. Exit code 1 where a goal is missed. */
const benches: Readonly<Record<string, () => readonly Figure[] | Promise<readonly Figure[]>>> = {
  rules: benchRules,
  chain: benchChain,
  memory: benchMemory,
  functions: benchFunctions,
  warm: benchWarm,
  pipeline: benchPipeline,
  judge: benchJudge,
  minhash: benchMinhash,
  export: benchExport,
  environments: benchEnvironments,
  sandbox: benchSandbox,
  inference: benchInference,
  start: benchStart,
  statistics: benchStatistics,
  train: benchTrain,
  "train-options": benchTrainOptions,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are ${Object.keys(benches).join(", ")}`);
  process.exit(1);
}
const model = cpus()[0]?.model ?? "unknown processor";
console.log(`${process.version}, ${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB\n`);
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const { name: label, value, unit, goal, ok } of await bench()) {
    const verdict = goal === undefined ? "" : `  goal ${goal}: ${ok === true ? "met" : "MISSED"}`;
    console.log(`${label.padEnd(44)} ${Number(value.toPrecision(4))} ${unit}${verdict}`);
    if (ok === false) process.exitCode = 1;
  }
}
