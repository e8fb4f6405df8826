import { TRAINING_SUBMITTED } from "../contracts/events.ts";
import { loopRunKey } from "../contracts/keys.ts";
import { type LoopPolicy, type LoopRecord, type LoopStepName, loopRecordSchema } from "../contracts/loop.ts";
import { HOUR_MS } from "../loop/admit.ts";
import type { LoopMove, LoopPorts, LoopView, RunMove } from "../loop/loop-ports.ts";
import { aboutRun, changed, isOver, loopKey, NEW_STEP, readLoop, withStep } from "../loop/loop-record.ts";
import { watchStep } from "../loop/watch-step.ts";
import { changeRecord, LedgerBusyError } from "./ledger-record.ts";
import { afterEvaluation } from "./promote.ts";
import { afterTraining, startRun } from "./train.ts";

/** A run has some ten moves; others may get in between. */
const MOST_MOVES = 200;
const DAY_MS = 24 * HOUR_MS;
/** Of what was spent; no budget looks further back. */
const KEEP_SPENT_MS = 400 * DAY_MS;

/**
 * Brings a model's loop as far as it goes by now: reads its record, looks what is so of the world, changes the record by
 * one step, and again until nothing is to be done. It does not matter what it is called for: events that come twice, late
 * or in another order lead to the same state, and one that was lost is made up for by the next call.
 * @throws LedgerBusyError and what the ports throw
 */
export async function advanceLoop(policy: LoopPolicy, ports: LoopPorts): Promise<LoopRecord> {
  const { ledger } = ports;
  const key = loopKey(policy.model);
  for (let move = 0; move < MOST_MOVES; move += 1) {
    const { value: record, version } = await readLoop(policy.model, ledger);
    const next = await nextMove({ policy, record }, ports);
    if (next === undefined) return record;
    if ((await ledger.put(key, JSON.stringify(next.record), version)) === "conflict") continue;
    if (next.submit !== undefined) await submit(next.submit, { policy, record: next.record, ports });
  }
  throw new LedgerBusyError(key);
}

async function nextMove(
  { policy, record }: Omit<LoopView, "run">,
  ports: LoopPorts,
): Promise<LoopMove | undefined> {
  const { active: run, outbox } = record;
  if (outbox.length > 0) {
    await ports.events.publish(outbox.map((event) => ({ ...event, resources: [policy.model] })));
    return { record: { ...record, outbox: [] } };
  }
  if (run === null) return startRun({ policy, record }, ports);
  const view = { policy, record, run };
  switch (run.state) {
    case "training":
      return (
        (await watched(view, ["train"], ports)) ??
        (await after(view, { of: ["train"], move: afterTraining, ports }))
      );
    case "evaluating": {
      const of: readonly LoopStepName[] = run.champion === null ? ["candidate"] : ["candidate", "champion"];
      return (await watched(view, of, ports)) ?? (await after(view, { of, move: afterEvaluation, ports }));
    }
    case "collecting":
      return (
        (await watched(view, ["collect"], ports)) ??
        (await after(view, { of: ["collect"], move: afterCollecting, ports }))
      );
    default:
      return ended(view, ports);
  }
}

/** The first thing that is to be done about the jobs of a state. */
async function watched(
  { policy, record, run }: LoopView,
  names: readonly LoopStepName[],
  ports: LoopPorts,
): Promise<LoopMove | undefined> {
  const now = ports.clock.now();
  for (const name of names) {
    const isDone = async (): Promise<boolean> =>
      name === "train" && (await ports.works.trained(run)) !== undefined;
    const { jobs, clock, isAlone } = ports;
    const move = await watchStep(name, { run, policy, jobs, clock, isAlone, isDone });
    if (move.kind === "rest") continue;
    const next = changed(record, withStep(run, name, move.step), { now });
    return move.kind === "claim" ? { record: next, submit: name } : { record: next };
  }
  return undefined;
}

/** The move that follows once all jobs of a state have ended. */
async function after(
  view: LoopView,
  of: {
    readonly of: readonly LoopStepName[];
    readonly move: (view: LoopView, ports: LoopPorts) => Promise<RunMove>;
    readonly ports: LoopPorts;
  },
): Promise<LoopMove | undefined> {
  const { record, run } = view;
  if (of.of.some((name) => (run.steps[name]?.ended ?? null) === null)) return undefined;
  const { run: next, events } = await of.move(view, of.ports);
  const now = of.ports.clock.now();
  return { record: changed(record, next, { now, ...(events === undefined ? {} : { events }) }) };
}

/** Rollouts that failed are lost training data, and no reason to take the promotion back. */
async function afterCollecting({ run }: LoopView): Promise<RunMove> {
  const step = run.steps.collect ?? NEW_STEP;
  return { run: { ...run, state: "promoted", reason: step.ended === "failed" ? step.reason : run.reason } };
}

/** Whoever won the claim; the job is noted unless somebody else claimed the step meanwhile. */
async function submit(
  name: LoopStepName,
  {
    policy,
    record,
    ports,
  }: { readonly policy: LoopPolicy; readonly record: LoopRecord; readonly ports: LoopPorts },
): Promise<void> {
  const { active: run } = record;
  if (run === null) return;
  const { claimed_at: claim, tries } = run.steps[name] ?? NEW_STEP;
  const { job } = await ports.works.submit(name, run);
  const now = ports.clock.now();
  await changeRecord(
    { ledger: ports.ledger, key: loopKey(policy.model), schema: loopRecordSchema },
    (found) => {
      const step = found?.active?.steps[name];
      const isMine = found?.active?.id === run.id && step?.claimed_at === claim && step.job === null;
      if (found?.active == null || !isMine) return undefined;
      // Nothing was left to do.
      const change = job === null ? { ended: "succeeded" as const } : { job };
      const next = withStep(found.active, name, change);
      if (name !== "train" || job === null) return changed(found, next, { now });
      const detail = {
        schema: "gymline.training-submitted.v1" as const,
        ...aboutRun(run),
        job,
        attempt: tries,
      };
      return changed(found, next, { now, events: [{ type: TRAINING_SUBMITTED, detail }] });
    },
  );
}

/** The run is put away, and there is room for the next one. */
async function ended({ record, run }: LoopView, { store, clock }: LoopPorts): Promise<LoopMove> {
  if (!isOver(run)) throw new Error(`the run ${run.id} is ${run.state}, and not over`);
  await store.put(loopRunKey(run.model, run.id), Buffer.from(`${JSON.stringify(run, null, 1)}\n`));
  const now = clock.now();
  const { hours, claimed_at: claimed } = run.steps.train ?? NEW_STEP;
  const spent = record.spent.filter(({ at }) => now - at < KEEP_SPENT_MS);
  // Of a run that was driven again with the training it had, the hours stand in `spent` since it ended the time before.
  const isCounted = run.redrives > 0 && record.spent.some(({ at }) => at > (claimed ?? 0));
  return {
    record: {
      ...record,
      active: null,
      spent: hours === null || isCounted ? spent : [...spent, { at: now, hours }],
    },
  };
}
