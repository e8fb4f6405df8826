import { trainingPrefix } from "../contracts/keys.ts";
import { type TrainingPlan, trainingJobName } from "../contracts/training-plan.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";

export interface TrainingPorts {
  readonly store: Pick<ObjectStore, "exists" | "put">;
  readonly ledger: Pick<Ledger, "get" | "put">;
  readonly jobs: Pick<Jobs, "list" | "submit">;
  /** What keys stand in: `s3://<bucket>`. */
  readonly place: string;
}

/** What is so of the run now. `done`: its model stands in the store already. */
export type SubmittedTraining =
  | { readonly kind: "submitted"; readonly job: string }
  | { readonly kind: "under way"; readonly job: string }
  | { readonly kind: "done" };

/** Someone else submits the same run at this moment. */
export class TrainingBusyError extends Error {
  override readonly name = "TrainingBusyError";
  constructor(run: string) {
    super(`the run ${run} is being submitted by someone else at this moment: give the same command again`);
  }
}

/**
 * Submits the run unless its model is there or a job of it is under way: two jobs would write one another's checkpoints.
 * A run whose job failed goes on from its newest checkpoint in the new one.
 * @throws TrainingBusyError
 */
export async function submitTraining(plan: TrainingPlan, ports: TrainingPorts): Promise<SubmittedTraining> {
  const { store, ledger, jobs, place } = ports;
  const claim = `training/${plan.run}`;
  const seen = await ledger.get(claim);
  if (await store.exists(`${plan.output.slice(place.length + 1)}/manifest.json`)) return { kind: "done" };
  const name = trainingJobName(plan);
  for await (const { id, state } of jobs.list({ name })) {
    if (state !== "SUCCEEDED" && state !== "FAILED") return { kind: "under way", job: id };
  }
  const value = JSON.stringify({ schema: "gymline.training-claim.v1", job: name });
  if ((await ledger.put(claim, value, seen?.version ?? 0)) === "conflict")
    throw new TrainingBusyError(plan.run);
  const key = `${trainingPrefix(plan.run)}plan.json`;
  await store.put(key, Buffer.from(JSON.stringify(plan, null, 1)));
  const { id } = await jobs.submit({ name, command: [`${place}/${key}`] });
  return { kind: "submitted", job: id };
}
