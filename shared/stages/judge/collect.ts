import { createHash } from "node:crypto";
import { judgeBatchKey, trajectoryKey } from "../../contracts/keys.ts";
import { type JudgingPlan, planJudging } from "../../judge/plan.ts";
import {
  type BatchResult,
  type ChatBatches,
  ChatModelError,
  type TokenUsage,
} from "../../ports/chat-model.ts";
import { ObjectNotFoundError } from "../../ports/object-store.ts";
import { readDocument } from "../compute-tasks.ts";
import type { LedgerRecord } from "../ledger-record.ts";
import { noteOutcome, readAnswers } from "./answer-cache.ts";
import {
  type BatchManifest,
  type BatchRecord,
  batchRecords,
  closeBatch,
  putBatchRecord,
  readBatchRecord,
  readManifest,
  requestId,
  requestNumber,
} from "./batch-records.ts";
import { BatchSubmitter, type OpenCase } from "./batch-submitter.ts";
import { dropCase, finishCase, isCurrent } from "./finish.ts";
import { openRequests } from "./judge-case.ts";
import { type JudgePorts, JudgeStoppedError } from "./ports.ts";
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
  /** Of these, batches of another model than the one given, which were not looked at. */
  readonly otherModel: number;
}

/** A draft this old was left by a process that was stopped; nothing of it was sent. */
const DRAFT_MS = 60 * 60_000;
/** Results that are written side by side. */
const SIDE_BY_SIDE = 32;

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
  const { collected, otherModel } = collector;
  return { ...report, collected, otherModel, open: await openBatches(ports) };
}

class Collector {
  collected = 0;
  otherModel = 0;
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
    if (records.length === 0) return;
    const submitter = new BatchSubmitter(this.#ports, { budget: this.#budget, tally: this.#tally });
    for (const record of records) {
      if (this.#outOfTime()) return;
      const { provider, model: name } = record.value;
      if (provider !== model.provider || name !== model.model) this.otherModel += 1;
      else {
        await this.#look(record, submitter).catch((error: unknown) => {
          throw faultOf(error, record.value);
        });
      }
    }
    await this.#sweep();
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
    const current = await Promise.all(manifest.trajectories.map((each) => isCurrent(each, this.#ports)));
    const read = await this.#readResults(record.value, { ...of, current });
    if (read === undefined) return;
    const again: OpenCase[] = [];
    for (const [position, trajectory] of manifest.trajectories.entries()) {
      if (this.#outOfTime()) return;
      const open = await this.#finish(trajectory, manifest);
      if (open !== undefined) again.push(open);
      onProgress?.({ done: position + 1, total: manifest.trajectories.length });
    }
    // The next batch is written down before this one is closed, under a name that follows from this one's.
    if (again.length > 0 && !(await submitter.send(again, { submission: nextName(record.value.submission) })))
      return;
    await this.#budget.release({ ...record.value, id: record.value.submission }, read.usd);
    if (await closeBatch(record, { ledger, store })) {
      this.collected += 1;
      for (const { usage, usd } of read.calls) this.#tally.call(usage, usd);
    }
  }

  /** All results go into the cache; undefined where time ran out. */
  async #readResults(
    { submission }: BatchRecord,
    of: {
      readonly batch: string;
      readonly manifest: BatchManifest;
      readonly current: readonly boolean[];
    },
  ): Promise<{ readonly usd: number; readonly calls: readonly Call[] } | undefined> {
    const { manifest, current } = of;
    const calls: Call[] = [];
    const answered = new Set<number>();
    let usd = 0;
    let group: Promise<void>[] = [];
    const settle = async (): Promise<void> => {
      const settled = await Promise.allSettled(group);
      group = [];
      for (const each of settled) if (each.status === "rejected") throw each.reason;
    };
    const take = (n: number, result: BatchResult | undefined): void => {
      const asked = manifest.requests[n];
      if (asked === undefined || answered.has(n)) return;
      answered.add(n);
      if (result?.kind === "answer") {
        const { usage } = result.answer;
        const cost = this.#budget.costOf(usage, true);
        calls.push({ usage, usd: cost });
        usd += cost ?? 0;
      }
      const first = asked.of.find((position) => current[position] === true);
      const trajectory = first === undefined ? undefined : manifest.trajectories[first];
      if (trajectory !== undefined)
        group.push(this.#keep({ submission, n, hash: asked.hash, trajectory, result }));
    };
    for await (const result of this.#batches().results(of.batch)) {
      const n = requestNumber(submission, result.id);
      if (n !== undefined) take(n, result);
      if (group.length < SIDE_BY_SIDE) continue;
      await settle();
      if (this.#outOfTime()) return undefined;
    }
    for (const n of manifest.requests.keys()) if (!answered.has(n)) take(n, undefined);
    await settle();
    return { usd, calls };
  }

  async #keep(of: {
    readonly submission: string;
    readonly n: number;
    readonly hash: string;
    readonly trajectory: BatchManifest["trajectories"][number];
    readonly result: BatchResult | undefined;
  }): Promise<void> {
    const { submission, n, hash, trajectory, result } = of;
    await noteOutcome(
      {
        hash,
        source: requestId(submission, n),
        batch: true,
        paidFor: { trajectory: trajectory.id, judge: trajectory.judge },
        outcome:
          result?.kind === "answer"
            ? { kind: "answer", answer: result.answer }
            : {
                kind: "failed",
                reason:
                  result === undefined
                    ? "no result in the batch"
                    : result.permanent
                      ? "the provider refused the request"
                      : "the batch gave no answer",
                permanent: result?.permanent ?? false,
              },
      },
      this.#ports.store,
    );
  }

  /** The questions that have to be asked once more, where there are some. */
  async #finish(
    trajectory: BatchManifest["trajectories"][number],
    manifest: BatchManifest,
  ): Promise<OpenCase | undefined> {
    const { id, revision, judge } = trajectory;
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
    const finished = await finishCase(judged, answers, { ...this.#ports, budget: this.#budget });
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
    if (requests.length > 0) await submitter.hand(renewed, requests);
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

interface Call {
  readonly usage: TokenUsage;
  readonly usd: number | null;
}

function nextName(submission: string): string {
  return createHash("sha256").update(`gymline.judge-batch\n${submission}`).digest("hex").slice(0, 16);
}

function faultOf(error: unknown, { submission, batch }: BatchRecord): unknown {
  if (!(error instanceof ChatModelError)) return error;
  const gone = error.status === 404;
  const remedy = gone
    ? `; the key may be of another workspace, or the batch older than the provider keeps it: if its answers are lost, gymline judge --abandon ${submission} lets its trajectories be asked about anew`
    : "";
  return new JudgeStoppedError(`batch ${batch ?? submission}: ${error.message}${remedy}`, { cause: error });
}
