import { z } from "zod";
import { InvalidRequest, parsed } from "./messages-request.ts";

const MOST_REQUESTS = 100_000;

/** Parameters are checked one by one when the batch is worked through, as the provider does. */
const batchRequest = z.strictObject({
  requests: z
    .array(
      z.strictObject({
        custom_id: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
        params: z.record(z.string(), z.unknown()),
      }),
    )
    .min(1),
});

export type BatchOutcome = { readonly type: "succeeded" | "errored" | "canceled" | "expired" } & Readonly<
  Record<string, unknown>
>;

interface Batch {
  readonly id: string;
  readonly createdAt: number;
  readonly requests: readonly { readonly custom_id: string; readonly params: unknown }[];
  polls: number;
  cancelAt: number | null;
  endedAt: number | null;
  results: readonly { readonly custom_id: string; readonly result: BatchOutcome }[];
}

export interface BatchDeskOptions {
  readonly url: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A batch ends at this poll; null: only when it is told to. */
  readonly polls: number | null;
  readonly work: (customId: string, params: unknown) => Promise<BatchOutcome>;
}

/** Batches of one server: made, polled, ended, cancelled and listed. */
export class BatchDesk {
  readonly #batches = new Map<string, Batch>();
  readonly #options: BatchDeskOptions;

  constructor(options: BatchDeskOptions) {
    this.#options = options;
  }

  /** @throws InvalidRequest */
  create(body: unknown): unknown {
    const { requests } = parsed(batchRequest, body);
    if (requests.length > MOST_REQUESTS) {
      throw new InvalidRequest(`requests: a batch holds at most ${MOST_REQUESTS} requests`);
    }
    const ids = new Set<string>();
    for (const { custom_id } of requests) {
      if (ids.has(custom_id)) throw new InvalidRequest(`requests: duplicate custom_id '${custom_id}'`);
      ids.add(custom_id);
    }
    const id = `msgbatch_${String(this.#batches.size + 1).padStart(6, "0")}`;
    const batch: Batch = {
      ...{ id, createdAt: this.#options.now(), requests, polls: 0 },
      ...{ cancelAt: null, endedAt: null, results: [] },
    };
    this.#batches.set(id, batch);
    return this.#shown(batch);
  }

  /** One poll, which may end it. Null where there is no such batch. */
  async state(id: string): Promise<unknown> {
    const batch = this.#batches.get(id);
    if (batch === undefined) return null;
    batch.polls += 1;
    const due = this.#options.polls !== null && batch.polls >= this.#options.polls;
    if (due || batch.cancelAt !== null) await this.#end(batch);
    return this.#shown(batch);
  }

  cancel(id: string): unknown {
    const batch = this.#batches.get(id);
    if (batch === undefined) return null;
    if (batch.endedAt !== null) throw new InvalidRequest(`Batch ${id} has ended and cannot be canceled`);
    batch.cancelAt ??= this.#options.now();
    return this.#shown(batch);
  }

  list(query: URLSearchParams): unknown {
    const limit = Number(query.get("limit") ?? 20);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
      throw new InvalidRequest("limit: out of range");
    const newest = [...this.#batches.values()].reverse();
    const after = query.get("after_id");
    const before = query.get("before_id");
    const place = (id: string) => newest.findIndex((batch) => batch.id === id);
    const upTo = before === null ? newest.length : Math.max(0, place(before));
    const from = after === null ? (before === null ? 0 : Math.max(0, upTo - limit)) : place(after) + 1;
    const page = newest.slice(from, Math.min(upTo, from + limit));
    return {
      data: page.map((batch) => this.#shown(batch)),
      has_more: before === null ? from + page.length < newest.length : from > 0,
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    };
  }

  /** Lines of JSON, in an order that is not that of the requests. Null where there is none, or not yet. */
  results(id: string): string | null {
    const batch = this.#batches.get(id);
    if (batch === undefined || batch.endedAt === null) return null;
    return batch.results.map((line) => `${JSON.stringify(line)}\n`).join("");
  }

  async endAll(): Promise<void> {
    for (const batch of this.#batches.values()) await this.#end(batch);
  }

  async #end(batch: Batch): Promise<void> {
    if (batch.endedAt !== null) return;
    batch.endedAt = this.#options.now();
    const canceled = batch.cancelAt !== null;
    const results: { custom_id: string; result: BatchOutcome }[] = [];
    for (const { custom_id, params } of batch.requests) {
      const result: BatchOutcome = canceled
        ? { type: "canceled" }
        : await this.#options.work(custom_id, params);
      results.push({ custom_id, result });
    }
    batch.results = shuffled(results);
  }

  #shown(batch: Batch): unknown {
    const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString());
    const count = (type: string) => batch.results.filter(({ result }) => result.type === type).length;
    const ended = batch.results.length > 0;
    return {
      id: batch.id,
      type: "message_batch",
      processing_status: ended ? "ended" : batch.cancelAt === null ? "in_progress" : "canceling",
      request_counts: {
        processing: batch.requests.length - batch.results.length,
        succeeded: count("succeeded"),
        errored: count("errored"),
        canceled: count("canceled"),
        expired: count("expired"),
      },
      created_at: iso(batch.createdAt),
      expires_at: iso(batch.createdAt + 24 * 3_600_000),
      ended_at: ended ? iso(batch.endedAt) : null,
      cancel_initiated_at: iso(batch.cancelAt),
      archived_at: null,
      results_url: ended ? `${this.#options.url()}/v1/messages/batches/${batch.id}/results` : null,
    };
  }
}

/** The same for the same input, and never the order that came in where there are two or more. */
function shuffled<T>(items: readonly T[]): readonly T[] {
  const odd = items.filter((_, index) => index % 2 === 1);
  const even = items.filter((_, index) => index % 2 === 0);
  return [...odd.reverse(), ...even];
}
