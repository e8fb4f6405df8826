import { z } from "zod";
import type { JudgeConfig, ModelPrice } from "../../judge/config.ts";
import { costOf, priceOf } from "../../judge/prices.ts";
import { estimateTokens } from "../../judge/tokens.ts";
import type { ChatRequest, TokenUsage } from "../../ports/chat-model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ledger } from "../../ports/ledger.ts";
import { changeRecord, readRecord } from "../ledger-record.ts";

const spendSchema = z.strictObject({
  schema: z.literal("gymline.judge-spend.v1"),
  /** US dollars of calls that came back. */
  usd: z.number().nonnegative(),
  /** The most that calls under way may cost, by reservation. What a stopped process had reserved stays: it may be owed. */
  reserved: z.record(z.string(), z.number().nonnegative()),
});
type Spend = z.infer<typeof spendSchema>;

/** There is a limit on money, but what the model costs is not known. */
export class JudgePriceError extends Error {
  override readonly name = "JudgePriceError";
  constructor(model: string) {
    super(
      `what ${model} costs is not known, so no limit on money can be kept: give its prices (judge.prices in the settings, US dollars per million tokens), or set judge.budgets.usdPerRun and usdPerDay to null`,
    );
  }
}

/** Where a reservation stands: in the records of its day and its run. */
export interface SpendPlace {
  /** Name of the reservation. */
  readonly id: string;
  readonly run: string;
  /** UTC, `2026-01-31`. */
  readonly day: string;
}

/**
 * Keeps what is spent under hard limits: the most that a call may cost is reserved before it is made, and what it did
 * cost takes its place afterwards. Processes that share a ledger share the limit of the day.
 */
export class Budget {
  readonly price: ModelPrice | null;
  readonly #ledger: Ledger;
  readonly #budgets: JudgeConfig["budgets"];
  /** Within one process changes wait for each other instead of conflicting. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws JudgePriceError */
  constructor(config: JudgeConfig, { ledger }: { readonly ledger: Ledger }) {
    this.#ledger = ledger;
    this.#budgets = config.budgets;
    this.price = priceOf(config.model, config.prices);
    const limited = config.budgets.usdPerDay !== null || config.budgets.usdPerRun !== null;
    if (limited && this.price === null) throw new JudgePriceError(config.model);
  }

  /** The most a request may cost; 0 where no price is known. */
  mostOf(request: ChatRequest, batch: boolean): number {
    return this.price === null ? 0 : mostUsd(request, this.price, batch);
  }

  /** What calls did cost; null where no price is known. */
  costOf(usage: TokenUsage, batch: boolean): number | null {
    return this.price === null ? null : costOf(usage, this.price, { batch });
  }

  /**
   * Reserves as many of the amounts, from the first on, as fit under both limits, and says how many. The reservation
   * replaces one of the same name.
   */
  reserve(place: SpendPlace, amounts: readonly number[]): Promise<number> {
    return this.#inTurn(async () => {
      const { usdPerRun, usdPerDay } = this.#budgets;
      const run = await this.#reserveIn(runKey(place.run), { place, amounts, limit: usdPerRun });
      const first = amounts.slice(0, run);
      const day = await this.#reserveIn(dayKey(place.day), { place, amounts: first, limit: usdPerDay });
      if (day < run) {
        await this.#reserveIn(runKey(place.run), { place, amounts: first.slice(0, day), limit: null });
      }
      return day;
    });
  }

  /** One call of a reservation came back: `usd` takes the place of the `most` that was reserved for it. */
  settleCall(place: SpendPlace, call: { readonly most: number; readonly usd: number }): Promise<void> {
    return this.#changeBoth(place, (spend) => {
      const left = Math.max(0, (spend.reserved[place.id] ?? 0) - call.most);
      return { ...spend, usd: spend.usd + call.usd, reserved: { ...spend.reserved, [place.id]: left } };
    });
  }

  /** Gives back what is left of a reservation; with `usd`, that much was spent. Repeated, it changes nothing. */
  release(place: SpendPlace, usd = 0): Promise<void> {
    return this.#changeBoth(place, (spend) => {
      if (spend.reserved[place.id] === undefined) return undefined;
      const { [place.id]: _, ...reserved } = spend.reserved;
      return { ...spend, usd: spend.usd + usd, reserved };
    });
  }

  async #reserveIn(
    key: string,
    asked: { readonly place: SpendPlace; readonly amounts: readonly number[]; readonly limit: number | null },
  ): Promise<number> {
    const { place, amounts, limit } = asked;
    let fits = 0;
    await this.#change(key, (spend) => {
      const { [place.id]: _, ...others } = spend.reserved;
      const free = limit === null ? Number.POSITIVE_INFINITY : limit - spend.usd - total(others) + ROUNDING;
      let sum = 0;
      fits = 0;
      for (const amount of amounts) {
        if (sum + amount > free) break;
        sum += amount;
        fits += 1;
      }
      return { ...spend, reserved: fits === 0 ? others : { ...others, [place.id]: sum } };
    });
    return fits;
  }

  #changeBoth(place: SpendPlace, change: (spend: Spend) => Spend | undefined): Promise<void> {
    return this.#inTurn(async () => {
      for (const key of [runKey(place.run), dayKey(place.day)]) await this.#change(key, change);
    });
  }

  async #change(key: string, change: (spend: Spend) => Spend | undefined): Promise<void> {
    const record = { ledger: this.#ledger, key, schema: spendSchema };
    await changeRecord(record, (current = NOTHING) => change(current));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

const NOTHING: Spend = { schema: "gymline.judge-spend.v1", usd: 0, reserved: {} };
/** Sums of dollars in binary fractions may be off by this. */
const ROUNDING = 1e-9;
/** Tokens are estimated; what they are at most is this much more. */
const ALLOWANCE = 1.2;

/** All of the prompt at the dearest rate a prompt may have, and an answer as long as it may be. */
export function mostUsd(request: ChatRequest, price: ModelPrice, batch: boolean): number {
  const texts = [request.system, ...request.messages.map(({ content }) => content)];
  if (request.schema !== undefined) texts.push(JSON.stringify(request.schema.schema));
  const prompt = Math.ceil(texts.reduce((sum, text) => sum + estimateTokens(text), 0) * ALLOWANCE);
  const nothing = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  const output = request.maxTokens;
  const written = costOf({ ...nothing, cacheWrite: prompt, output }, price, { batch });
  return Math.max(written, costOf({ ...nothing, input: prompt, output }, price, { batch }));
}

export interface SpendShown {
  readonly usd: number;
  readonly reserved: number;
}

/** What was spent on a day (UTC, `2026-01-31`), and the most that calls under way may add. */
export async function spentOn(day: string, ledger: Ledger): Promise<SpendShown> {
  const found = await readRecord(ledger, dayKey(day), spendSchema);
  return { usd: found?.value.usd ?? 0, reserved: total(found?.value.reserved ?? {}) };
}

export function dayOf(clock: Clock): string {
  return new Date(clock.now()).toISOString().slice(0, 10);
}

function total(reserved: Spend["reserved"]): number {
  return Object.values(reserved).reduce((sum, usd) => sum + usd, 0);
}

function dayKey(day: string): string {
  return `judge/spend/day/${day}`;
}

function runKey(run: string): string {
  return `judge/spend/run/${run}`;
}
