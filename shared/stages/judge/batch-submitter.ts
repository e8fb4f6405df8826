import type { PlannedRequest } from "../../judge/plan.ts";
import { type ChatBatches, ChatModelError, type ChatRequest } from "../../ports/chat-model.ts";
import type { LedgerRecord } from "../ledger-record.ts";
import {
  askedInBatches,
  type BatchManifest,
  type BatchRecord,
  closeBatch,
  pairName,
  putBatchRecord,
  putManifest,
  readBatchRecord,
  requestId,
} from "./batch-records.ts";
import { finishCase } from "./finish.ts";
import { answersOf, type CaseOptions, candidateOf, type JudgeCase, openRequests } from "./judge-case.ts";
import { noteAsked } from "./judge-state.ts";
import { type JudgePorts, JudgeStoppedError } from "./ports.ts";
import { type Budget, dayOf } from "./spend.ts";
import type { JudgeTally } from "./tally.ts";

/** Far below what providers take, so that a batch fits into memory and its answers into one run of a function. */
const MOST_REQUESTS = 10_000;
const MOST_BYTES = 64_000_000;

/** A trajectory with what is still to be asked about it. */
export interface OpenCase {
  readonly judged: JudgeCase;
  readonly open: readonly PlannedRequest[];
}

/** Several trajectories whose questions go into one batch. */
class Load {
  readonly cases: OpenCase[] = [];
  readonly #hashes = new Set<string>();
  #bytes = 0;

  get requests(): number {
    return this.#hashes.size;
  }

  add(open: OpenCase): void {
    this.cases.push(open);
    for (const { hash, request } of open.open) {
      if (this.#hashes.has(hash)) continue;
      this.#hashes.add(hash);
      this.#bytes += bytesOf(request);
    }
  }

  fits(open: OpenCase, { maxRequests, maxBytes }: ChatBatches): boolean {
    const bytes = open.open.reduce((sum, { request }) => sum + bytesOf(request), this.#bytes);
    const requests = this.#hashes.size + open.open.length;
    return requests <= Math.min(maxRequests, MOST_REQUESTS) && bytes <= Math.min(maxBytes * 0.9, MOST_BYTES);
  }
}

/** Of the JSON, with room for what stands around it; control characters take six bytes there. */
function bytesOf(request: ChatRequest): number {
  return Buffer.byteLength(JSON.stringify(request)) + 500;
}

/**
 * Makes batches. Of each there is a record in the ledger and a list in the store before it is sent, so that one which
 * was sent by a process that was stopped is found again instead of paid twice.
 */
export class BatchSubmitter {
  readonly #ports: JudgePorts;
  readonly #batches: ChatBatches;
  readonly #budget: Budget;
  readonly #tally: JudgeTally;

  /** @throws JudgeStoppedError where the model takes no batches */
  constructor(ports: JudgePorts, { budget, tally }: { readonly budget: Budget; readonly tally: JudgeTally }) {
    const { batches, provider, model } = ports.model;
    if (batches === undefined) {
      throw new JudgeStoppedError(`${provider} ${model} takes no batches: ask directly`);
    }
    this.#ports = ports;
    this.#batches = batches;
    this.#budget = budget;
    this.#tally = tally;
  }

  /** Finishes what the cache answers, and sends all else as batches. @throws JudgeStoppedError */
  async submit(
    asked: CaseOptions & { readonly ids: Iterable<string> | AsyncIterable<string>; readonly limit?: number },
  ): Promise<void> {
    const ports = this.#ports;
    const tally = this.#tally;
    const waiting = await askedInBatches(ports);
    let load = new Load();
    let begun = 0;
    // All ids first: the catalog is not read while it is written.
    const ids: string[] = [];
    for await (const id of asked.ids) ids.push(id);
    const send = async (): Promise<void> => {
      if (load.cases.length > 0) await this.send(load.cases, { submission: ports.newId() });
      load = new Load();
    };
    for (const [position, id] of ids.entries()) {
      ports.onProgress?.({ done: position + 1, total: ids.length });
      if (begun >= (asked.limit ?? Number.POSITIVE_INFINITY)) break;
      if (ports.outOfTime?.() === true) {
        tally.leave([id], "time");
        continue;
      }
      const candidate = await candidateOf(id, ports, asked);
      tally.candidate(candidate);
      if (candidate.kind === "left-out") continue;
      const judged = candidate.case;
      if (waiting.has(pairName({ id, judge: judged.plan.judge }))) {
        tally.waiting += 1;
        continue;
      }
      begun += 1;
      const answers = await answersOf(judged.plan, ports);
      const open = openRequests(judged.plan, answers, { following: false });
      if (open.length === 0) {
        const finished = await finishCase(judged, answers, { ...ports, budget: this.#budget });
        if (finished.kind === "judged") tally.judgement(finished.judgement);
        else tally[finished.kind] += 1;
        continue;
      }
      if (tally.stoppedBy === "budget") {
        tally.leave([id], "budget");
        continue;
      }
      const next = { judged, open };
      if (load.cases.length > 0 && !load.fits(next, this.#batches)) await send();
      load.add(next);
    }
    await send();
  }

  /**
   * Sends cases as one batch, as many of them as there is money for; the others count as left. A `submission` that was
   * begun before is gone on with where it stands. False: another process does it.
   * @throws JudgeStoppedError
   */
  async send(cases: readonly OpenCase[], { submission }: { readonly submission: string }): Promise<boolean> {
    const { ledger, store, clock, run } = this.#ports;
    const { provider, model } = this.#ports.model;
    const found = await readBatchRecord(submission, ledger);
    if (found !== undefined && found.value.phase !== "draft") return true;
    const place = { id: submission, run, day: dayOf(clock) };
    const base = { submission, provider, model, batch: null, run, day: place.day, at: clock.now() };
    const draft = await putBatchRecord(
      { schema: "gymline.judge-batch.v1", ...base, phase: "draft", requests: 0, trajectories: 0 },
      { ledger, version: found?.version ?? 0 },
    );
    if (draft === undefined) return false;
    // Whoever began it may have reserved under another run or day.
    if (found !== undefined) await this.#budget.release({ ...found.value, id: submission });
    const fits = await this.#budget.reserve(place, this.#amounts(cases));
    if (fits < cases.length) {
      const left = cases.slice(fits).map(({ judged }) => judged.id);
      this.#tally.leave(left, "budget");
    }
    if (fits === 0) {
      await closeBatch(draft, { ledger, store });
      return true;
    }
    const { manifest, requests } = listOf(cases.slice(0, fits), submission);
    await putManifest(manifest, store);
    for (const { judged, open } of cases.slice(0, fits)) {
      await noteAsked(
        { id: judged.id, judge: judged.plan.judge, hashes: open.map(({ hash }) => hash) },
        store,
      );
    }
    const intended = await putBatchRecord(
      {
        ...draft.value,
        phase: "intended",
        at: clock.now(),
        requests: requests.length,
        trajectories: manifest.trajectories.length,
      },
      { ledger, version: draft.version },
    );
    if (intended === undefined) return false;
    await this.hand(intended, requests);
    return true;
  }

  /** Sends what is intended, which must be written down by now. @throws JudgeStoppedError */
  async hand(
    intended: LedgerRecord<BatchRecord>,
    requests: readonly { readonly id: string; readonly request: ChatRequest }[],
  ): Promise<void> {
    const { ledger, store, clock } = this.#ports;
    const { submission, trajectories } = intended.value;
    let batch: string;
    try {
      batch = await this.#batches.submit(requests);
    } catch (error) {
      if (!(error instanceof ChatModelError)) throw error;
      if (error.permanent) {
        // The provider took nothing, so nothing is owed.
        await this.#budget.release({ ...intended.value, id: submission });
        await closeBatch(intended, { ledger, store });
      }
      throw new JudgeStoppedError(error.message, { cause: error });
    }
    // Where somebody else found it meanwhile, it says the same.
    await putBatchRecord(
      { ...intended.value, phase: "submitted", batch, at: clock.now() },
      { ledger, version: intended.version },
    );
    this.#tally.batches.push({ submission, batch, requests: requests.length, trajectories });
  }

  /** What each case adds to the most that the batch may cost; questions that two share count once. */
  #amounts(cases: readonly OpenCase[]): readonly number[] {
    const counted = new Set<string>();
    return cases.map(({ open }) => {
      let sum = 0;
      for (const { hash, request } of open) {
        if (counted.has(hash)) continue;
        counted.add(hash);
        sum += this.#budget.mostOf(request, true);
      }
      return sum;
    });
  }
}

/** The list of a batch, and the requests in its order. */
export function listOf(
  cases: readonly OpenCase[],
  submission: string,
): {
  readonly manifest: BatchManifest;
  readonly requests: readonly { readonly id: string; readonly request: ChatRequest }[];
} {
  const byHash = new Map<string, { readonly of: number[]; readonly request: ChatRequest }>();
  const rubrics: Record<string, BatchManifest["rubrics"][string]> = {};
  for (const [position, { judged, open }] of cases.entries()) {
    rubrics[judged.plan.judge] = [...judged.plan.rubrics];
    for (const { hash, request } of open) {
      const same = byHash.get(hash);
      if (same === undefined) byHash.set(hash, { of: [position], request });
      else if (!same.of.includes(position)) same.of.push(position);
    }
  }
  const [first] = cases;
  if (first === undefined) throw new RangeError("a batch needs at least one trajectory");
  const all = [...byHash];
  return {
    manifest: {
      schema: "gymline.judge-batch-list.v1",
      submission,
      config: first.judged.plan.config,
      rubrics,
      trajectories: cases.map(({ judged: { id, revision, plan } }) => ({ id, revision, judge: plan.judge })),
      requests: all.map(([hash, { of }]) => ({ hash, of })),
    },
    requests: all.map(([, { request }], n) => ({ id: requestId(submission, n), request })),
  };
}
