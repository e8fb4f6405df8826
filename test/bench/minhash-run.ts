import { writeFileSync } from "node:fs";
import { clustersOf } from "../../shared/curation/clusters.ts";
import { lshPlan } from "../../shared/curation/lsh.ts";
import { minhash, PERMUTATIONS } from "../../shared/curation/minhash.ts";
import { NEAR, NearDuplicates } from "../../shared/curation/near-duplicates.ts";
import { type Shingles, shinglesOf } from "../../shared/curation/shingles.ts";
import { type TrajectoryTrace, traceOf } from "../../shared/curation/trace.ts";
import { makeRun, makeSteps } from "../curation/traces.ts";

/** The program that `minhash.ts` measures: `node minhash-run.ts <trajectories> <shared> <file>`; prints one JSON line. */
const [count = 0, shared = 0] = process.argv.slice(2, 4).map(Number);
const file = process.argv[4];

/** Every tenth is the one before it, with another last call. */
function traceNumber(index: number): TrajectoryTrace {
  const copies = index % 10 === 9;
  const run = makeRun(copies ? index - 1 : index, { steps: 20, lines: 8 });
  const calls = copies
    ? [...run.calls.slice(0, -1), ["bash", { command: `tail ${index}` }, "end"] as const]
    : run.calls;
  return traceOf(makeSteps({ ...run, calls }));
}

let started = performance.now();
const lap = (): number => {
  const seconds = (performance.now() - started) / 1000;
  started = performance.now();
  return seconds;
};
for (let index = 0; index < count / 10; index += 1) makeRun(index, { steps: 20, lines: 8 });
const makingSeconds = lap() * 10;

const finder = new NearDuplicates(NEAR);
for (let index = 0; index < count; index += 1) {
  finder.add(
    { id: String(index).padStart(8, "0"), reward: 0.5, success: true, redactions: 0 },
    traceNumber(index),
  );
}
const tracingSeconds = Math.max(0, lap() - makingSeconds);
const { bytes, checked, duplicates, candidates } = finder.report();
const reportSeconds = lap();
const resident = process.resourceUsage().maxRSS * 1024;

// The rows that the reference gets too, as features: a length and then that many numbers for each.
const features: Shingles[] = Array.from({ length: shared }, (_, index) =>
  shinglesOf(traceNumber(index), () => false),
);
if (file !== undefined) {
  const words = features.flatMap(({ actions, outputs }) => [
    actions.length + outputs.length,
    ...actions,
    ...outputs,
  ]);
  writeFileSync(file, Uint32Array.from(words));
}
lap();
const signatures = new Int32Array(shared * PERMUTATIONS);
for (const [index, found] of features.entries()) {
  minhash(found, signatures.subarray(index * PERMUTATIONS, (index + 1) * PERMUTATIONS));
}
clustersOf(features, { signatures, plan: lshPlan(NEAR), threshold: NEAR });
const sharedSeconds = lap();
process.stdout.write(
  `${JSON.stringify({ tracingSeconds, reportSeconds, resident, bytes, checked, candidates, duplicates, sharedSeconds })}\n`,
);
