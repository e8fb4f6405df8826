import type { Judgement } from "../../contracts/judgement.ts";
import type { GateDecision } from "../../judge/gate.ts";
import { type DisagreementSummary, summariseDisagreement } from "../../judge/reliability.ts";
import type { TokenUsage } from "../../ports/chat-model.ts";
import type { Candidate, LeftOut } from "./judge-case.ts";
import { JudgeStoppedError } from "./ports.ts";

/** What a run of the judge did. */
export interface JudgeReport {
  /** Trajectories that have a new judgement. */
  readonly judged: number;
  /** Of these, all of whose answers were in the cache. */
  readonly fromCache: number;
  readonly steps: { readonly asked: number; readonly scored: number };
  readonly leftOut: Readonly<Record<LeftOut, number>>;
  /** What the gate said of those it was asked about. */
  readonly gate: Readonly<Partial<Record<GateDecision["reason"], number>>>;
  /** Their only answers did not come; the next run asks again. */
  readonly unanswered: number;
  /** Answers to trajectories that were forgotten or changed meanwhile; nothing of them was kept. */
  readonly dropped: number;
  /** In a batch that has not ended. */
  readonly waiting: number;
  /** Not begun, because money or time ran out. */
  readonly left: number;
  readonly stoppedBy: "budget" | "time" | "fault" | null;
  /** What made it end early, and what to do about it. */
  readonly fault: string | null;
  /** Windows without a score and calls without an answer, by reason. */
  readonly failures: Readonly<Record<string, number>>;
  /** Windows in which the judge saw text that tries to influence it. */
  readonly manipulation: number;
  /** How far answers to the same question lie apart, by rubric; empty where each was asked once. */
  readonly disagreement: readonly DisagreementSummary[];
  /** Questions of the new judgements, and those of them whose answer was paid for before by somebody else. */
  readonly requests: number;
  readonly cached: number;
  /** Of calls made in this run, and what they cost; null where no price is known. */
  readonly calls: number;
  readonly usage: TokenUsage;
  readonly usd: number | null;
  readonly batches: readonly SubmittedBatch[];
}

export interface SubmittedBatch {
  readonly submission: string;
  /** As the provider calls it. */
  readonly batch: string;
  readonly requests: number;
  readonly trajectories: number;
}

/** Counts while a run goes on. */
export class JudgeTally {
  judged = 0;
  fromCache = 0;
  unanswered = 0;
  dropped = 0;
  waiting = 0;
  /** Ids of trajectories that were not begun, or not ended, because something ran out. */
  readonly leftIds = new Set<string>();
  stoppedBy: JudgeReport["stoppedBy"] = null;
  readonly batches: SubmittedBatch[] = [];
  readonly #leftOut: Record<LeftOut, number> = { gate: 0, judged: 0, nothing: 0, superseded: 0, absent: 0 };
  readonly #gate: Partial<Record<GateDecision["reason"], number>> = {};
  readonly #failures: Record<string, number> = {};
  #fault: string | null = null;
  /** Steps of judgements whose questions were asked several times. */
  readonly #spread: Pick<Judgement, "steps">[] = [];
  #asked = 0;
  #scored = 0;
  #manipulation = 0;
  #requests = 0;
  #cached = 0;
  #calls = 0;
  #usage: TokenUsage = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  #usd: number | null = 0;

  candidate(candidate: Candidate): void {
    if (candidate.gate !== null) this.#gate[candidate.gate] = (this.#gate[candidate.gate] ?? 0) + 1;
    if (candidate.kind === "left-out") this.#leftOut[candidate.because] += 1;
  }

  judgement(judgement: Judgement): void {
    const { coverage, failures, manipulation = [], requests, cached, samples, steps } = judgement;
    if (samples > 1) this.#spread.push({ steps });
    this.judged += 1;
    if (cached === requests) this.fromCache += 1;
    this.#asked += coverage.asked;
    this.#scored += coverage.scored;
    this.#manipulation += manipulation.length;
    this.#requests += requests;
    this.#cached += cached;
    // The numbers of steps would make a kind of its own of each.
    for (const { reason } of failures) this.failure(reason.replace(/\d+/g, "n"));
  }

  leave(ids: Iterable<string>, because: "budget" | "time"): void {
    for (const id of ids) this.leftIds.add(id);
    this.stoppedBy ??= because;
  }

  failure(reason: string): void {
    this.#failures[reason] = (this.#failures[reason] ?? 0) + 1;
  }

  call(usage: TokenUsage, usd: number | null): void {
    this.#calls += 1;
    this.#usage = {
      input: this.#usage.input + usage.input,
      cacheRead: this.#usage.cacheRead + usage.cacheRead,
      cacheWrite: this.#usage.cacheWrite + usage.cacheWrite,
      output: this.#usage.output + usage.output,
    };
    this.#usd = usd === null || this.#usd === null ? null : this.#usd + usd;
  }

  /** What the work came to, also where the provider or the settings stopped it. */
  async reportOf(work: () => Promise<void>): Promise<JudgeReport> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof JudgeStoppedError)) throw error;
      this.stoppedBy = "fault";
      this.#fault = error.message;
    }
    return this.report();
  }

  report(): JudgeReport {
    return {
      judged: this.judged,
      fromCache: this.fromCache,
      steps: { asked: this.#asked, scored: this.#scored },
      leftOut: { ...this.#leftOut },
      gate: { ...this.#gate },
      unanswered: this.unanswered,
      dropped: this.dropped,
      waiting: this.waiting,
      left: this.leftIds.size,
      stoppedBy: this.stoppedBy,
      fault: this.#fault,
      failures: { ...this.#failures },
      manipulation: this.#manipulation,
      disagreement: summariseDisagreement(this.#spread, rubricsIn(this.#spread)),
      requests: this.#requests,
      cached: this.#cached,
      calls: this.#calls,
      usage: this.#usage,
      usd: this.#usd,
      batches: [...this.batches],
    };
  }
}

function rubricsIn(judgements: readonly Pick<Judgement, "steps">[]): readonly string[] {
  const ids = judgements.flatMap(({ steps }) => steps.flatMap(({ scores }) => Object.keys(scores)));
  return [...new Set(ids)].sort();
}
