import { createHash } from "node:crypto";
import { judgeBatchKey, trajectoryKey } from "../../contracts/keys.ts";
import { type JudgingPlan, planJudging } from "../../judge/plan.ts";
import { type ChatBatches, ChatModelError } from "../../ports/chat-model.ts";
import { ObjectNotFoundError } from "../../ports/object-store.ts";
import { readDocument } from "../compute-tasks.ts";
import type { LedgerRecord } from "../ledger-record.ts";
import { readAnswers } from "./answer-cache.ts";
import {
  type BatchManifest,
  type BatchRecord,
  batchRecords,
  closeBatch,
  putBatchRecord,
  readBatchRecord,
  readManifest,
  requestId,
} from "./batch-records.ts";
import { keepResults } from "./batch-results.ts";
import { BatchSubmitter, type OpenCase } from "./batch-submitter.ts";
import { dropCase, finishCase, isCurrent } from "./finish.ts";
import { openRequests } from "./judge-case.ts";
import { readJudgeState } from "./judge-state.ts";
import { type JudgePorts, JudgeStoppedError, LostBatchError } from "./ports.ts";
import { adoptBatch } from "./reconcile.ts";
import { Budget } from "./spend.ts";
import { type JudgeReport, JudgeTally } from "./tally.ts";

/** What stands open after collecting. */
export interface OpenBatch {
  readonly submission: string;
  readonly batch: string | null;
  readonly phase: BatchRecord["phase"];
  readonly model: string;
  readonly requests: number;
  readonly trajectories: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface CollectReport extends JudgeReport {
  /** Batches whose answers were taken in. */
  readonly collected: number;
  readonly open: readonly OpenBatch[];
  /** Of these, batches of another provider than the one given, which were not looked at. */
  readonly otherProvider: number;
}

/** Trajectories that are finished side by side. */
const SIDE_BY_SIDE = 16;
/** A draft this old was left by a process that was stopped; nothing of it was sent. */
const DRAFT_MS = 60 * 60_000;

/** All batches that have not been taken in, the oldest first. */
export async function openBatches({ ledger }: Pick<JudgePorts, "ledger">): Promise<readonly OpenBatch[]> {
  const open: OpenBatch[] = [];
  for await (const { value } of batchRecords(ledger)) {
    const { submission, batch, phase, model, requests, trajectories, at } = value;
    open.push({ submission, batch, phase, model, requests, trajectories, at });
  }
  return open.sort((left, right) => left.at - right.at);
}

/**
 * Takes in the answers of batches that have ended: into the cache first, then trajectory by trajectory. What failed for
 * a reason that passes goes into a batch of its own, a limited number of times. Stopped anywhere and called again, it
 * ends the same.
 * @throws JudgePriceError
 */
export async function judgeCollect(ports: JudgePorts, tally = new JudgeTally()): Promise<CollectReport> {
  const collector = new Collector(ports, tally);
  const report = await tally.reportOf(() => collector.collect());
  const { collected, otherProvider } = collector;
  return { ...report, collected, otherProvider, open: await openBatches(ports) };
}

class Collector {
  collected = 0;
  otherProvider = 0;
  readonly #ports: JudgePorts;
  readonly #tally: JudgeTally;
  readonly #budget: Budget;

  constructor(ports: JudgePorts, tally: JudgeTally) {
    this.#ports = ports;
    this.#tally = tally;
    this.#budget = new Budget(ports.settings.config, ports);
  }

  async collect(): Promise<void> {
    const { ledger, model } = this.#ports;
    const records: LedgerRecord<BatchRecord>[] = [];
    for await (const record of batchRecords(ledger)) records.push(record);
    if (records.length === 0) return this.#sweep();
    const submitter = new BatchSubmitter(this.#ports, { budget: this.#budget, tally: this.#tally });
    let lost: LostBatchError | undefined;
    for (const record of records) {
      if (this.#outOfTime()) return;
      if (record.value.provider !== model.provider) {
        this.otherProvider += 1;
        continue;
      }
      try {
        await this.#look(record, submitter);
      } catch (error) {
        const fault = error instanceof ChatModelError ? faultOf(error, record.value) : error;
        // One batch that is lost does not keep the others waiting.
        if (!(fault instanceof LostBatchError)) throw fault;
        lost ??= fault;
      }
    }
    await this.#sweep();
    if (lost !== undefined) throw lost;
  }

  #outOfTime(): boolean {
    if (this.#ports.outOfTime?.() !== true) return false;
    this.#tally.stoppedBy ??= "time";
    return true;
  }

  async #look(record: LedgerRecord<BatchRecord>, submitter: BatchSubmitter): Promise<void> {
    const { clock, ledger, store } = this.#ports;
    const { phase, at, submission } = record.value;
    if (phase === "draft") {
      if (clock.now() - at < DRAFT_MS) return;
      await this.#budget.release({ ...record.value, id: submission });
      await closeBatch(record, { ledger, store });
      return;
    }
    const manifest = await readManifest(submission, store);
    const now = await readBatchRecord(submission, ledger);
    // Somebody else took it in just now.
    if (manifest === undefined || now === undefined) return;
    const batches = this.#batches();
    const submitted =
      now.value.phase === "submitted"
        ? now
        : await adoptBatch(now, {
            batches,
            ledger,
            clock,
            resend: () => this.#resend(now, manifest, submitter),
          });
    const batch = submitted?.value.batch ?? null;
    if (submitted === undefined || batch === null) return;
    const { ended } = await batches.state(batch);
    if (!ended) {
      this.#tally.waiting += submitted.value.trajectories;
      return;
    }
    await this.#takeIn(submitted, { batch, manifest, submitter });
  }

  #batches(): ChatBatches {
    const { batches } = this.#ports.model;
    if (batches === undefined) throw new JudgeStoppedError("the model takes no batches");
    return batches;
  }

  async #takeIn(
    record: LedgerRecord<BatchRecord>,
    of: { readonly batch: string; readonly manifest: BatchManifest; readonly submitter: BatchSubmitter },
  ): Promise<void> {
    const { ledger, store, onProgress } = this.#ports;
    const { manifest, submitter } = of;
    const budget = this.#budgetOf(record.value, manifest);
    const current = await Promise.all(manifest.trajectories.map((each) => isCurrent(each, this.#ports)));
    const { submission } = record.value;
    const read = await keepResults(
      { submission, batch: of.batch, manifest, current },
      { batches: this.#batches(), store, budget, outOfTime: () => this.#outOfTime() },
    );
    if (read === undefined) return;
    const again: OpenCase[] = [];
    const { trajectories } = manifest;
    for (let from = 0; from < trajectories.length; from += SIDE_BY_SIDE) {
      if (this.#outOfTime()) return;
      const group = trajectories.slice(from, from + SIDE_BY_SIDE);
      const finished = await Promise.allSettled(
        group.map((each) => this.#finish(each, { manifest, budget })),
      );
      for (const each of finished) {
        if (each.status === "rejected") throw each.reason;
        if (each.value !== undefined) again.push(each.value);
      }
      onProgress?.({ done: Math.min(from + SIDE_BY_SIDE, trajectories.length), total: trajectories.length });
    }
    if (again.length > 0 && !(await this.#askAgain(again, record.value, submitter))) return;
    const spent = read.reduce((sum, { usd }) => sum + (usd ?? 0), 0);
    await budget.release({ ...record.value, id: submission }, spent);
    if (await closeBatch(record, { ledger, store })) {
      this.collected += 1;
      for (const { usage, usd } of read) this.#tally.call(usage, usd);
    }
  }

  /** A batch of another model has prices of its own. */
  #budgetOf({ model }: BatchRecord, manifest: BatchManifest): Budget {
    return model === this.#ports.model.model ? this.#budget : new Budget(manifest.config, this.#ports);
  }

  /**
   * The next batch is written down before this one is closed, under a name that follows from this one's. False: another
   * process is at it.
   */
  async #askAgain(
    again: readonly OpenCase[],
    { submission, model }: BatchRecord,
    submitter: BatchSubmitter,
  ): Promise<boolean> {
    if (model === this.#ports.model.model) return submitter.send(again, { submission: nextName(submission) });
    // The model that was asked is no longer the one that judges.
    this.#tally.unanswered += again.length;
    return true;
  }

  /** The questions that have to be asked once more, where there are some. */
  async #finish(
    trajectory: BatchManifest["trajectories"][number],
    { manifest, budget }: { readonly manifest: BatchManifest; readonly budget: Budget },
  ): Promise<OpenCase | undefined> {
    const { id, revision, judge } = trajectory;
    const state = await readJudgeState({ id, judge }, this.#ports.store);
    // A run before this one, which was stopped, came this far.
    if (state?.done?.revision === revision) return undefined;
    const plan = await this.#planOf(trajectory, manifest);
    if (plan === undefined) {
      await dropCase({ id, plan: { judge } }, this.#ports);
      this.#tally.dropped += 1;
      return undefined;
    }
    const judged = { id, revision, plan };
    const answers = await readAnswers(
      plan.requests.map(({ hash }) => hash),
      this.#ports.store,
    );
    const open = openRequests(plan, answers, { following: true });
    if (open.length > 0) return { judged, open };
    const finished = await finishCase(judged, answers, { ...this.#ports, budget });
    if (finished.kind === "judged") this.#tally.judgement(finished.judgement);
    else this.#tally[finished.kind] += 1;
    if (finished.kind === "unanswered") for (const reason of finished.reasons) this.#tally.failure(reason);
    return undefined;
  }

  /** As it was asked; undefined where the trajectory was forgotten or changed, or the questions are others by now. */
  async #planOf(
    trajectory: BatchManifest["trajectories"][number],
    { config, rubrics }: BatchManifest,
  ): Promise<JudgingPlan | undefined> {
    const { id, judge } = trajectory;
    if (!(await isCurrent(trajectory, this.#ports))) return undefined;
    try {
      const document = readDocument(await this.#ports.store.read(trajectoryKey(id)));
      if (document.extra.gymline.provenance.revision !== trajectory.revision) return undefined;
      const plan = planJudging({ trajectory: document, rubrics: rubrics[judge] ?? [], config });
      return plan.judge === judge ? plan : undefined;
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return undefined;
      throw error;
    }
  }

  /** Sends an intended batch that the provider never got. */
  async #resend(
    intended: LedgerRecord<BatchRecord>,
    manifest: BatchManifest,
    submitter: BatchSubmitter,
  ): Promise<void> {
    const { ledger, clock } = this.#ports;
    const renewed = await putBatchRecord(
      { ...intended.value, at: clock.now() },
      { ledger, version: intended.version },
    );
    if (renewed === undefined) return;
    const byHash = new Map<string, JudgingPlan["requests"][number]>();
    const same = renewed.value.model === this.#ports.model.model;
    if (!same) this.#tally.unanswered += manifest.trajectories.length;
    for (const trajectory of manifest.trajectories) {
      const plan = await this.#planOf(trajectory, manifest);
      for (const planned of plan?.requests ?? []) byHash.set(planned.hash, planned);
    }
    // Numbers stay those of the list; what nobody needs any more is left out and shows as without a result.
    const requests = manifest.requests.flatMap(({ hash }, n) => {
      const planned = byHash.get(hash);
      const id = requestId(renewed.value.submission, n);
      return planned === undefined ? [] : [{ id, request: planned.request }];
    });
    if (same && requests.length > 0) await submitter.hand(renewed, requests);
    else {
      await this.#budget.release({ ...renewed.value, id: renewed.value.submission });
      await closeBatch(renewed, this.#ports);
    }
  }

  /** A list whose record is gone was left by a process that was stopped while it closed the batch. */
  async #sweep(): Promise<void> {
    const { store, ledger } = this.#ports;
    const left: string[] = [];
    for await (const { key } of store.list("judge-batches/")) {
      const submission = /^judge-batches\/([a-z0-9]+)\.json$/.exec(key)?.[1];
      if (submission === undefined) continue;
      if ((await readBatchRecord(submission, ledger)) === undefined) left.push(submission);
    }
    for (const submission of left) await store.remove(judgeBatchKey(submission));
  }
}

function nextName(submission: string): string {
  return createHash("sha256").update(`gymline.judge-batch\n${submission}`).digest("hex").slice(0, 16);
}

function faultOf(error: ChatModelError, record: BatchRecord): JudgeStoppedError {
  const cause = { cause: error };
  if (error.status === 404) return new LostBatchError(record, error.message, cause);
  return new JudgeStoppedError(`batch ${record.batch ?? record.submission}: ${error.message}`, cause);
}
