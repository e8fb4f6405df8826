import type { PlannedRequest } from "../../judge/plan.ts";
import type { ChatAnswer } from "../../ports/chat-model.ts";
import { type CachedAnswer, noteOutcome } from "./answer-cache.ts";
import { Asker } from "./asker.ts";
import { type Finished, finishCase } from "./finish.ts";
import { answersOf, type JudgeCase, openRequests } from "./judge-case.ts";
import { noteAsked } from "./judge-state.ts";
import type { JudgePorts } from "./ports.ts";
import { type Budget, dayOf, type SpendPlace } from "./spend.ts";
import type { JudgeTally } from "./tally.ts";

/** A case that may begin: what it may cost is reserved. */
export interface Admitted {
  readonly judged: JudgeCase;
  readonly open: readonly PlannedRequest[];
  readonly answers: Map<string, CachedAnswer>;
  readonly place: SpendPlace;
}

/** Asks about trajectories one call at a time, as many side by side as the model's adapter lets through. */
export class DirectJudge {
  readonly #ports: JudgePorts;
  readonly #budget: Budget;
  readonly #asker: Asker;
  /** Trajectories with equal texts ask the same; the first of them pays. */
  readonly #underWay = new Map<string, Promise<ChatAnswer>>();
  #asked = 0;

  constructor(ports: JudgePorts, { budget, tally }: { readonly budget: Budget; readonly tally: JudgeTally }) {
    this.#ports = ports;
    this.#budget = budget;
    this.#asker = new Asker(ports.model, { budget, tally });
  }

  /** undefined: it would cost something, and there is not enough money left for it, or none may be spent. */
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

  /** `left`: money ran out in between; what was answered is in the cache. @throws JudgeStoppedError */
  async judge(admitted: Admitted): Promise<Finished | { readonly kind: "left" }> {
    const { judged, open, answers, place } = admitted;
    const { id, plan } = judged;
    if (open.length === 0) return this.#finish(admitted);
    let asked: "all" | "passing" | "left";
    try {
      await noteAsked({ id, judge: plan.judge, hashes: open.map(({ hash }) => hash) }, this.#ports.store);
      asked = await this.#askAll(admitted);
    } finally {
      await this.#budget.release(place);
    }
    if (asked === "left") return { kind: "left" };
    if (asked === "all") return this.#finish(admitted);
    const reasons = [...answers.values()].flatMap(({ answer, failure }) =>
      answer === null && failure !== null ? [failure.reason] : [],
    );
    return { kind: "unanswered", reasons };
  }

  #finish({ judged, answers }: Admitted): Promise<Finished> {
    return finishCase(judged, answers, { ...this.#ports, budget: this.#budget });
  }

  /** `passing`: some calls failed for a reason that may be gone by the next run, so there is no judgement yet. */
  async #askAll(admitted: Admitted): Promise<"all" | "passing" | "left"> {
    const { judged, answers, place } = admitted;
    let passing = false;
    for (let asked = admitted.open; asked.length > 0; ) {
      const called = await Promise.allSettled(asked.map((planned) => this.#ask(planned, admitted)));
      for (const each of called) {
        if (each.status === "rejected") throw each.reason;
        passing ||= each.value === "passing";
      }
      // Only what was answered in a wrong form is asked again here; the adapter has tried again all else.
      asked = openRequests(judged.plan, answers, { following: true }).filter(
        ({ hash }) => (answers.get(hash)?.answer ?? null) !== null,
      );
      if (asked.length > 0 && (await this.#budget.reserve(place, [this.#mostOf(asked)])) === 0) return "left";
    }
    return passing ? "passing" : "all";
  }

  #mostOf(open: readonly PlannedRequest[]): number {
    return open.reduce((sum, { request }) => sum + this.#budget.mostOf(request, false), 0);
  }

  /** Failures are kept in `answers` only: the next run asks again. */
  async #ask(
    planned: PlannedRequest,
    { judged, answers, place }: Admitted,
  ): Promise<"answered" | "passing" | "permanent"> {
    const { hash, request } = planned;
    const most = this.#budget.mostOf(request, false);
    const underWay = this.#underWay.get(hash);
    const others = await underWay?.catch(() => undefined);
    if (others !== undefined) {
      await this.#budget.settleCall(place, { most, usd: 0 });
      answers.set(hash, { ...blank({ trajectory: "", judge: "" }), answer: others });
      return "answered";
    }
    this.#asked += 1;
    const source = `${place.run}/${this.#asked}`;
    const paidFor = { trajectory: judged.id, judge: judged.plan.judge };
    const asked = this.#asker.model.complete(request);
    this.#underWay.set(hash, asked);
    try {
      const called = await this.#asker.call(() => asked, {
        place,
        most,
        keep: async (answer) => {
          const outcome = { kind: "answer", answer } as const;
          answers.set(
            hash,
            await noteOutcome({ hash, source, batch: false, outcome, paidFor }, this.#ports.store),
          );
        },
      });
      if (called.kind === "answer") return "answered";
      const { reason, passing } = called;
      const before = answers.get(hash) ?? blank(paidFor);
      answers.set(hash, { ...before, failure: { reason, permanent: !passing } });
      return passing ? "passing" : "permanent";
    } finally {
      if (this.#underWay.get(hash) === asked) this.#underWay.delete(hash);
    }
  }
}

function blank(paidFor: CachedAnswer["paidFor"]): CachedAnswer {
  return { schema: "gymline.judge-answer.v1", answer: null, failure: null, tries: [], paidFor };
}
