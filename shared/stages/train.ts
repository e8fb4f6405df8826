import { DigestSet } from "../columns/digest-set.ts";
import {
  EVALUATION_REQUESTED,
  LOOP_STOPPED,
  type LoopEvent,
  MODEL_REGISTERED,
  TRAINING_FINISHED,
  TRAINING_REQUESTED,
} from "../contracts/events.ts";
import type { DatasetFacts, DatasetSeen, LoopPolicy, LoopRecord, LoopRun } from "../contracts/loop.ts";
import { admit } from "../loop/admit.ts";
import type { LoopMove, LoopPorts, LoopView, RunMove } from "../loop/loop-ports.ts";
import { aboutRun, changed, NEW_STEP, runId, withStep } from "../loop/loop-record.ts";
import { ObjectNotFoundError } from "../ports/object-store.ts";
import { readLine } from "../registry/model-line.ts";
import { registerModel } from "../registry/registry.ts";
import { DatasetInputsError, versionInputs } from "../versions/version-inputs.ts";
import { ManifestError, readManifest } from "./stored-manifest.ts";

/** Begins a run with the dataset version that waits, where the policy allows it; undefined: it goes on waiting. */
export async function startRun(
  { policy, record }: { readonly policy: LoopPolicy; readonly record: LoopRecord },
  ports: LoopPorts,
): Promise<LoopMove | undefined> {
  const { waiting } = record;
  if (waiting === null) return undefined;
  const { facts: known, ...dataset } = waiting;
  const now = ports.clock.now();
  const passedOver = (reason: string): LoopMove => ({
    record: { ...record, waiting: null, skipped: { ...dataset, reason, at: now } },
  });
  const facts = known ?? (await factsOf(dataset, { record, ports }));
  if (typeof facts === "string") return passedOver(facts);
  const admission = admit(dataset, { policy, record, facts, now });
  if (admission.kind === "skip") return passedOver(admission.reason);
  if (admission.kind === "wait") {
    return known === undefined ? { record: { ...record, waiting: { ...dataset, facts } } } : undefined;
  }
  const champion = (await readLine(policy.model, ports.ledger))?.champion ?? null;
  const run: LoopRun = {
    schema: "gymline.loop-run.v1",
    id: runId(policy.model, dataset),
    model: policy.model,
    dataset: { ...dataset, fresh: facts.fresh },
    state: "training",
    version: null,
    parent: champion,
    champion: null,
    steps: { train: NEW_STEP },
    reason: null,
    evaluation: null,
    redrives: 0,
    started_at: now,
    changed_at: now,
  };
  const detail = {
    schema: "gymline.training-requested.v1" as const,
    ...aboutRun(run),
    fresh: facts.fresh,
  };
  const begun = { ...record, waiting: null, trained: dataset, last_start: now };
  return { record: changed(begun, run, { now, events: [{ type: TRAINING_REQUESTED, detail }] }) };
}

/** After its job: the model is registered and its evaluation asked for, or the run stands still. */
export async function afterTraining({ run }: LoopView, ports: LoopPorts): Promise<RunMove> {
  const step = run.steps.train ?? NEW_STEP;
  const finished = (outcome: "succeeded" | "failed", reason: string | null): LoopEvent => ({
    type: TRAINING_FINISHED,
    detail: { schema: "gymline.training-finished.v1" as const, ...aboutRun(run), outcome, reason },
  });
  const failed = (reason: string): RunMove => ({
    run: { ...withStep(run, "train", { ended: "failed", reason }), state: "failed", reason },
    events: [finished("failed", reason), stopped(run, { state: "failed", reason })],
  });
  if (step.ended === "failed") return failed(step.reason ?? "the training failed");
  const model = await ports.works.trained(run);
  if (model === undefined) return failed("the job has ended, but its model is not there or not whole");
  await registerModel({ name: run.model, ...model }, ports);
  const champion = (await readLine(run.model, ports.ledger))?.champion ?? null;
  const { version } = model;
  return {
    run: evaluationOf({ ...run, version }, champion),
    events: [
      finished("succeeded", null),
      {
        type: MODEL_REGISTERED,
        detail: { schema: "gymline.model-registered.v1", ...aboutRun(run), version },
      },
      {
        type: EVALUATION_REQUESTED,
        detail: { schema: "gymline.evaluation-requested.v1", ...aboutRun(run), version, champion },
      },
    ],
  };
}

/** The run as it begins to evaluate: the candidate, and the champion where there is one. */
export function evaluationOf(run: LoopRun, champion: string | null): LoopRun {
  const { champion: _, ...others } = run.steps;
  const steps = {
    ...others,
    // What the candidate has done stands; a step that ended in vain begins anew.
    candidate: others.candidate?.ended === "succeeded" ? others.candidate : NEW_STEP,
    ...(champion === null ? {} : { champion: NEW_STEP }),
  };
  return { ...run, state: "evaluating", champion, steps, reason: null };
}

export function stopped(
  run: LoopRun,
  { state, reason }: { readonly state: "failed" | "invalid"; readonly reason: string },
): LoopEvent {
  const detail = { schema: "gymline.loop-stopped.v1" as const, ...aboutRun(run), state, reason };
  return { type: LOOP_STOPPED, detail };
}

/** A text says why the version cannot be trained on. */
async function factsOf(
  dataset: DatasetSeen,
  { record, ports }: { readonly record: LoopRecord; readonly ports: LoopPorts },
): Promise<DatasetFacts | string> {
  const { store } = ports;
  try {
    const manifest = await readManifest(dataset, store);
    if (manifest === undefined) return "its manifest is gone";
    const before = new DigestSet();
    if (record.trained !== null) {
      const old = await readManifest(record.trained, store);
      // Of a version that is gone nobody knows what it had: all counts as new.
      if (old !== undefined) for await (const { id } of versionInputs(old, { store })) before.add(id);
    }
    let fresh = 0;
    for await (const { id } of versionInputs(manifest, { store })) if (!before.has(id)) fresh += 1;
    return { rows: manifest.rows, reward: manifest.statistics.reward_mean, fresh };
  } catch (error) {
    const known =
      error instanceof ManifestError ||
      error instanceof DatasetInputsError ||
      error instanceof ObjectNotFoundError;
    if (!known) throw error;
    return error.message;
  }
}
