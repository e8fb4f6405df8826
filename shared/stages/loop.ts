import type { BatchJobChange, DatasetPublished } from "../contracts/events.ts";
import { loopRunKey } from "../contracts/keys.ts";
import {
  type DatasetSeen,
  type LoopPolicy,
  type LoopRecord,
  type LoopRun,
  loopRecordSchema,
  loopRunSchema,
} from "../contracts/loop.ts";
import type { LoopPorts } from "../loop/loop-ports.ts";
import { loopKey, NEW_STEP, readLoop, runId } from "../loop/loop-record.ts";
import { advanceLoop } from "./advance-loop.ts";
import { changeRecord } from "./ledger-record.ts";
import { readStored } from "./stored-json.ts";
import { evaluationOf } from "./train.ts";

/** The loops of a deployment, or of one process. */
export interface LoopsPorts extends LoopPorts {
  readonly policies: readonly LoopPolicy[];
}

/** A dataset version was published: it has its turn in every loop that trains on that dataset. */
export async function datasetPublished(
  { name, version }: Pick<DatasetPublished, "name" | "version">,
  ports: LoopsPorts,
): Promise<void> {
  for (const policy of ports.policies) {
    if (policy.dataset !== name) continue;
    const dataset = await datasetOf({ name, version }, ports);
    if (dataset !== undefined) await offer(dataset, { policy, ports });
    await advanceLoop(policy, ports);
  }
}

/** Batch says that a job changed: the loop that waits for it is looked after. Children of an array change nothing. */
export async function jobChanged(change: BatchJobChange, ports: LoopsPorts): Promise<void> {
  if (change.arrayProperties?.index !== undefined) return;
  for (const policy of ports.policies) {
    const { active } = (await readLoop(policy.model, ports.ledger)).value;
    const jobs = Object.values(active?.steps ?? {}).map((step) => step.job);
    if (jobs.includes(change.jobId)) await advanceLoop(policy, ports);
  }
}

/**
 * Looks after all loops: jobs whose end nobody told, versions whose event was lost, events that did not go out, waiting
 * versions whose time has come. Gives the models whose loop moved.
 */
export async function sweepLoops(ports: LoopsPorts): Promise<readonly string[]> {
  const moved: string[] = [];
  for (const policy of ports.policies) {
    const before = (await readLoop(policy.model, ports.ledger)).version;
    const newest = await newestDataset(policy.dataset, ports);
    if (newest !== undefined) await offer(newest, { policy, ports });
    await advanceLoop(policy, ports);
    if ((await readLoop(policy.model, ports.ledger)).version !== before) moved.push(policy.model);
  }
  return moved;
}

/** A run cannot be driven again; the message says why. */
export class RedriveLoopError extends Error {
  override readonly name = "RedriveLoopError";
}

/**
 * Lets a run that failed, or whose evaluation was invalid, go on where it stopped: a training that failed is submitted
 * anew, an evaluation runs the episodes that are missing or failed.
 * @throws RedriveLoopError
 */
export async function redriveLoop(
  { model, run }: { readonly model: string; readonly run: string },
  ports: LoopsPorts,
): Promise<LoopRun> {
  const policy = ports.policies.find((each) => each.model === model);
  if (policy === undefined) {
    const known = ports.policies.map((each) => each.model).join(", ") || "none";
    throw new RedriveLoopError(`there is no loop of the model "${model}": there are ${known}`);
  }
  const found = await readStored(loopRunKey(model, run), loopRunSchema, ports.store);
  if (found === undefined)
    throw new RedriveLoopError(`the loop of ${model} has no run ${run} that has ended`);
  if (found.state !== "failed" && found.state !== "invalid") {
    throw new RedriveLoopError(
      `the run ${run} is ${found.state}: only one that failed or is invalid goes on`,
    );
  }
  const now = ports.clock.now();
  await changeRecord({ ledger: ports.ledger, key: loopKey(model), schema: loopRecordSchema }, (record) => {
    if (record === undefined) throw new RedriveLoopError(`the loop of ${model} has no record`);
    if (record.active !== null && record.active.id !== run) {
      throw new RedriveLoopError(`the run ${record.active.id} is under way: wait until it has ended`);
    }
    if (record.active !== null) return undefined;
    return { ...record, active: { ...backAgain(found), redrives: found.redrives + 1, changed_at: now } };
  });
  await advanceLoop(policy, ports);
  return found;
}

function backAgain(run: LoopRun): LoopRun {
  if (run.steps.train?.ended !== "succeeded" || run.version === null) {
    return { ...run, state: "training", reason: null, steps: { train: NEW_STEP } };
  }
  const { train } = run.steps;
  return evaluationOf({ ...run, steps: { train } }, run.champion);
}

/** A version that is newer than all that were trained on, passed over or wait already waits for its turn. */
async function offer(
  dataset: DatasetSeen,
  { policy, ports }: { readonly policy: LoopPolicy; readonly ports: LoopPorts },
): Promise<void> {
  const { model } = policy;
  const blank: LoopRecord = (await readLoop(model, ports.ledger)).value;
  await changeRecord({ ledger: ports.ledger, key: loopKey(model), schema: loopRecordSchema }, (found) => {
    const record = found ?? blank;
    const { waiting, trained, skipped, active } = record;
    const newest = Math.max(...[waiting, trained, skipped].map((each) => each?.created_at ?? -1));
    if (dataset.created_at <= newest || active?.id === runId(model, dataset)) return undefined;
    return { ...record, waiting: dataset };
  });
}

async function datasetOf(
  { name, version }: { readonly name: string; readonly version: string },
  { catalog }: LoopPorts,
): Promise<DatasetSeen | undefined> {
  for await (const entry of catalog.datasets()) {
    if (entry.name === name && entry.version === version)
      return { name, version, created_at: entry.createdAt };
  }
  return undefined;
}

/** The version of a dataset that was registered last; undefined where there is none. */
export async function newestDataset(
  name: string,
  { catalog }: Pick<LoopPorts, "catalog">,
): Promise<DatasetSeen | undefined> {
  let newest: DatasetSeen | undefined;
  for await (const entry of catalog.datasets()) {
    if (entry.name !== name || (newest !== undefined && entry.createdAt <= newest.created_at)) continue;
    newest = { name, version: entry.version, created_at: entry.createdAt };
  }
  return newest;
}
