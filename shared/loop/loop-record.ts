import { createHash } from "node:crypto";
import { type LoopEvent, loopEventSchemas } from "../contracts/events.ts";
import {
  type DatasetSeen,
  type LoopRecord,
  type LoopRun,
  type LoopStep,
  type LoopStepName,
  loopRecordSchema,
} from "../contracts/loop.ts";
import type { Ledger } from "../ports/ledger.ts";
import { type LedgerRecord, readRecord } from "../stages/ledger-record.ts";

/** Prefix of the ledger's records of loops; the name of the model follows. */
const LOOP_RECORDS = "loop/";

export function loopKey(model: string): string {
  return LOOP_RECORDS + model;
}

/** As it stands, or as it is before anything happened (version 0). */
export async function readLoop(model: string, ledger: Ledger): Promise<LedgerRecord<LoopRecord>> {
  const blank: LoopRecord = {
    schema: "gymline.loop.v1",
    model,
    active: null,
    waiting: null,
    trained: null,
    skipped: null,
    last_start: null,
    spent: [],
    outbox: [],
  };
  return (await readRecord(ledger, loopKey(model), loopRecordSchema)) ?? { value: blank, version: 0 };
}

/** The same for the same dataset version, so that an event that comes twice is one run. */
export function runId(model: string, { name, version }: Pick<DatasetSeen, "name" | "version">): string {
  return createHash("sha256")
    .update(JSON.stringify([model, name, version]))
    .digest("hex")
    .slice(0, 12);
}

export const NEW_STEP: LoopStep = {
  job: null,
  claimed_at: null,
  tries: 0,
  ended: null,
  hours: null,
  reason: null,
};

export function withStep(run: LoopRun, name: LoopStepName, change: Partial<LoopStep>): LoopRun {
  const step = { ...NEW_STEP, ...run.steps[name], ...change };
  return { ...run, steps: { ...run.steps, [name]: step } };
}

/** What is the same in all events of a run. */
export function aboutRun({ model, id, dataset }: LoopRun): {
  readonly model: string;
  readonly run: string;
  readonly dataset: { readonly name: string; readonly version: string };
} {
  return { model, run: id, dataset: { name: dataset.name, version: dataset.version } };
}

/** The record with the run as it is now, and events that say so. */
export function changed(
  record: LoopRecord,
  run: LoopRun,
  { now, events = [] }: { readonly now: number; readonly events?: readonly LoopEvent[] },
): LoopRecord {
  const outgoing = events.map(({ type, detail }) => ({
    type,
    detail: { ...loopEventSchemas[type].parse(detail) },
  }));
  return { ...record, active: { ...run, changed_at: now }, outbox: [...record.outbox, ...outgoing] };
}

/** Whether nothing more happens in this state by itself. */
export function isOver({ state }: Pick<LoopRun, "state">): boolean {
  return state === "promoted" || state === "rejected" || state === "invalid" || state === "failed";
}
