import type { PlannedRequest } from "../../judge/plan.ts";
import { type ChatAnswer, ChatModelError } from "../../ports/chat-model.ts";
import { type CachedAnswer, noteOutcome } from "./answer-cache.ts";
import { type Finished, finishCase } from "./finish.ts";
import { answersOf, type JudgeCase, openRequests } from "./judge-case.ts";
import { noteAsked } from "./judge-state.ts";
import { type JudgePorts, JudgeStoppedError } from "./ports.ts";
import { type Budget, dayOf, type SpendPlace } from "./spend.ts";
import type { JudgeTally } from "./tally.ts";

/** Statuses that any other call would get, too: key, billing, rights, model or address are wrong. */
const STOPPING = new Set([401, 402, 403, 404]);
/** Trajectories in a row without one answer, after which the provider is taken to be out of reach. */
const MOST_IN_A_ROW = 8;

/** A case that may begin: what it may cost is reserved. */
interface Admitted {
  readonly judged: JudgeCase;
  readonly open: readonly PlannedRequest[];
  readonly answers: Map<string, CachedAnswer>;
  readonly place: SpendPlace;
}

/** Asks about trajectories one call at a time, as many side by side as the model's adapter lets through. */
export class DirectJudge {
  readonly #ports: JudgePorts;
  readonly #budget: Budget;
  readonly #tally: JudgeTally;
  /** Trajectories with equal texts ask the same. */
  readonly #underWay = new Map<string, Promise<ChatAnswer>>();
  #asked = 0;
  #failedInARow = 0;

  constructor(ports: JudgePorts, { budget, tally }: { readonly budget: Budget; readonly tally: JudgeTally }) {
    this.#ports = ports;
    this.#budget = budget;
    this.#tally = tally;
  }

  /** undefined: there is not enough money left for it. */
  async admit(judged: JudgeCase, { mayPay }: { readonly mayPay: boolean }): Promise<Admitted | undefined> {
    const { clock, run, store } = this.#ports;
    const answers = await answersOf(judged.plan, { store });
    const open = openRequests(judged.plan, answers, { following: false });
    const place = { id: `${run}/${judged.id.slice(0, 24)}`, run, day: dayOf(clock) };
    if (open.length > 0) {
      if (!mayPay || (await this.#budget.reserve(place, [this.#mostOf(open)])) === 0) return undefined;
    }
    return { judged, open, answers, place };
  }

  /** @throws JudgeStoppedError */
  async judge({ judged, open, answers, place }: Admitted): Promise<Finished | { readonly kind: "left" }> {
    const { id, plan } = judged;
    let passing = false;
    try {
      if (open.length > 0)
        await noteAsked({ id, judge: plan.judge, hashes: open.map(({ hash }) => hash) }, this.#ports.store);
      for (let asked = open; asked.length > 0; ) {
        const failed = await Promise.all(
          asked.map((planned) => this.#ask(planned, { judged, answers, place })),
        );
        passing ||= failed.some((each) => each === "passing");
        // Only what was answered in a wrong form is asked again here; the adapter has tried again all else.
        asked = openRequests(plan, answers, { following: true }).filter(
          ({ hash }) => (answers.get(hash)?.answer ?? null) !== null,
        );
        if (asked.length > 0 && (await this.#budget.reserve(place, [this.#mostOf(asked)])) === 0) {
          return { kind: "left" };
        }
      }
    } finally {
      if (open.length > 0) await this.#budget.release(place);
    }
    if (!passing) return finishCase(judged, answers, { ...this.#ports, budget: this.#budget });
    const reasons = [...answers.values()].flatMap(({ answer, failure }) =>
      answer === null && failure !== null ? [failure.reason] : [],
    );
    return { kind: "unanswered", reasons };
  }

  #mostOf(open: readonly PlannedRequest[]): number {
    return open.reduce((sum, { request }) => sum + this.#budget.mostOf(request, false), 0);
  }

  /** Failures are kept in `answers` only: the next run asks again. `passing`: the reason may be gone by then. */
  async #ask(
    planned: PlannedRequest,
    { judged, answers, place }: Omit<Admitted, "open">,
  ): Promise<"answered" | "passing" | "permanent"> {
    const { store } = this.#ports;
    const most = this.#budget.mostOf(planned.request, false);
    const paidFor = { trajectory: judged.id, judge: judged.plan.judge };
    const { hash } = planned;
    this.#asked += 1;
    const source = `${place.run}/${this.#asked}`;
    try {
      const { answer, first } = await this.#complete(planned);
      if (first) {
        const entry = await noteOutcome(
          { hash, source, batch: false, outcome: { kind: "answer", answer }, paidFor },
          store,
        );
        answers.set(hash, entry);
        const usd = this.#budget.costOf(answer.usage, false);
        this.#tally.call(answer.usage, usd);
        await this.#budget.settleCall(place, { most, usd: usd ?? 0 });
      } else {
        const { text, stop, usage, model } = answer;
        // Somebody else's question by now; it is paid for there.
        answers.set(hash, {
          ...blank(paidFor),
          answer: { text, stop, usage, model },
          paidFor: { trajectory: "", judge: "" },
        });
        await this.#budget.settleCall(place, { most, usd: 0 });
      }
      this.#failedInARow = 0;
      return "answered";
    } catch (error) {
      if (!(error instanceof ChatModelError)) throw error;
      await this.#budget.settleCall(place, { most, usd: 0 });
      if (error.permanent && error.status !== null && STOPPING.has(error.status)) {
        throw new JudgeStoppedError(error.message, { cause: error });
      }
      const reason =
        error.status === null ? "no answer of the provider" : `the provider answered ${error.status}`;
      answers.set(hash, {
        ...blank(paidFor),
        answer: answers.get(hash)?.answer ?? null,
        failure: { reason, permanent: error.permanent },
      });
      this.#tally.failure(reason);
      this.#failedInARow += 1;
      if (this.#failedInARow >= MOST_IN_A_ROW) {
        throw new JudgeStoppedError(
          `${MOST_IN_A_ROW} calls in a row had no answer, so the judge stopped; what was answered is kept. The last one: ${error.message}`,
          { cause: error },
        );
      }
      return error.permanent ? "permanent" : "passing";
    }
  }

  async #complete(
    planned: PlannedRequest,
  ): Promise<{ readonly answer: ChatAnswer; readonly first: boolean }> {
    const { hash, request } = planned;
    const underWay = this.#underWay.get(hash);
    if (underWay !== undefined) return { answer: await underWay, first: false };
    const asked = this.#ports.model.complete(request);
    this.#underWay.set(hash, asked);
    try {
      return { answer: await asked, first: true };
    } finally {
      this.#underWay.delete(hash);
    }
  }
}

function blank(paidFor: CachedAnswer["paidFor"]): CachedAnswer {
  return { schema: "gymline.judge-answer.v1", answer: null, failure: null, tries: [], paidFor };
}
