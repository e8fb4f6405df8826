import { setTimeout } from "node:timers/promises";
import { InlineCompute } from "../../shared/adapters/local/compute-inline.ts";
import { ComputePool } from "../../shared/adapters/local/compute-pool.ts";
import { SqliteCatalog } from "../../shared/adapters/local/sqlite-catalog.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import { datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import { targetOf } from "../../shared/dataset/targets/targets.ts";
import { exportDataset } from "../../shared/stages/export.ts";
import { planGroups } from "../../shared/stages/plan-groups.ts";
import { planTrajectories } from "../../shared/stages/plan-trajectories.ts";
import { makePlan } from "../factories/plan.ts";
import { catalogPath, SyntheticStore } from "../factories/synthetic-store.ts";

/**
 * `node --expose-gc export-at-scale.ts <fill|plan|export> <folder> <rows> [<request as JSON> [<threads>]]`: makes a synthetic
 * store, plans a dataset from it, or writes one; prints a line of JSON about it.
 */
const [action, folder = "", rows = "", request = "{}", threads = "0"] = process.argv.slice(2);
const store = await SyntheticStore.open(folder, Number(rows));
const clock = { now: () => 0 };

if (action === "fill") {
  store.fill(catalogPath(folder));
} else {
  const catalog = new SqliteCatalog({ path: catalogPath(folder), clock });
  const compute =
    threads === "0"
      ? new InlineCompute(await taskSettings(makePlan()))
      : new ComputePool({ plan: makePlan(), threads: Number(threads) });
  const ports = { store, catalog, clock, compute };
  const wanted = datasetRequestSchema.parse(JSON.parse(request));
  if (action === "plan") {
    const isSingle = targetOf(wanted.target).unit === "trajectory";
    const make = () => (isSingle ? planTrajectories(wanted, ports) : planGroups(wanted, ports));
    // The first time, code is compiled and statements are made.
    await make();
    const before = await held();
    const plan = await make();
    const after = await held();
    report({ bytes: after - before, trajectories: plan.trajectories });
  } else {
    const began = performance.now();
    const result = await exportDataset(wanted, ports);
    const seconds = (performance.now() - began) / 1000;
    if (result.kind === "empty") throw new Error("the dataset is empty");
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    const processorSeconds = (userCPUTime + systemCPUTime) / 1e6;
    const written = Object.fromEntries(store.written);
    const { manifest, prefix } = result;
    report({ manifest, prefix, written, resident: maxRSS * 1024, seconds, processorSeconds });
  }
  await compute.close();
  await catalog.close();
}

/** Bytes that cannot be collected: the heap's, and those of typed arrays. */
async function held(): Promise<number> {
  // Typed arrays are freed a little after what held them.
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.();
    await setTimeout(100);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function report(facts: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}
