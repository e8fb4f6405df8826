import { type ChatAnswer, type ChatModel, ChatModelError } from "../../ports/chat-model.ts";
import { JudgeStoppedError } from "./ports.ts";
import type { Budget, SpendPlace } from "./spend.ts";
import type { JudgeTally } from "./tally.ts";

/** Statuses that any other call would get, too: key, billing, rights, model or address are wrong. */
const STOPPING = new Set([401, 402, 403, 404]);
/** Calls in a row without an answer, after which the provider is taken to be out of reach. */
const MOST_IN_A_ROW = 8;

/** `passing`: the reason may be gone by the next run. `reason` quotes nothing. */
export type Called =
  | { readonly kind: "answer"; readonly answer: ChatAnswer }
  | { readonly kind: "failed"; readonly reason: string; readonly passing: boolean };

/** Makes calls that count: against the budget, in the report, and towards giving up on a provider. */
export class Asker {
  readonly model: ChatModel;
  readonly #budget: Budget;
  readonly #tally: JudgeTally;
  #failedInARow = 0;

  constructor(model: ChatModel, { budget, tally }: { readonly budget: Budget; readonly tally: JudgeTally }) {
    this.model = model;
    this.#budget = budget;
    this.#tally = tally;
  }

  /**
   * One call under a reservation. `keep` makes the answer durable, before it counts.
   * @throws JudgeStoppedError where other calls would fail, too
   */
  async call(
    work: () => Promise<ChatAnswer>,
    of: {
      readonly place: SpendPlace;
      /** What was reserved for it. */
      readonly most: number;
      readonly keep: (answer: ChatAnswer) => Promise<void>;
    },
  ): Promise<Called> {
    const { place, most, keep } = of;
    let answer: ChatAnswer;
    try {
      answer = await work();
    } catch (error) {
      if (!(error instanceof ChatModelError)) throw error;
      await this.#budget.settleCall(place, { most, usd: 0 });
      return this.#failed(error);
    }
    this.#failedInARow = 0;
    await keep(answer);
    const usd = this.#budget.costOf(answer.usage, false);
    this.#tally.call(answer.usage, usd);
    await this.#budget.settleCall(place, { most, usd: usd ?? 0 });
    return { kind: "answer", answer };
  }

  #failed(error: ChatModelError): Called {
    if (error.permanent && error.status !== null && STOPPING.has(error.status)) {
      throw new JudgeStoppedError(error.message, { cause: error });
    }
    this.#failedInARow += 1;
    if (this.#failedInARow >= MOST_IN_A_ROW) {
      const last = `the last one: ${error.message}`;
      throw new JudgeStoppedError(
        `${MOST_IN_A_ROW} calls in a row had no answer, so the judge stopped; what was answered is kept; ${last}`,
        { cause: error },
      );
    }
    const reason =
      error.status === null
        ? `no answer of the provider: ${faultOf(error)}`
        : `the provider answered ${error.status}`;
    this.#tally.failure(reason);
    return { kind: "failed", reason, passing: !error.permanent };
  }
}

/** `connection failed (ECONNREFUSED)`: without the model before it and what was tried after it, so that equal ones count as one. */
function faultOf({ message }: ChatModelError): string {
  const [first = message] = message.split(";");
  return first.slice(first.indexOf(": ") + 1).trim();
}
