import { type CausalModel, InferenceError, type KeyValues } from "../ports/causal-model.ts";
import type { Random } from "../statistics/random.ts";
import { joined, noKeyValues, rowOf } from "./key-values.ts";
import { prefill } from "./prefill.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { type Sampling, sampleToken } from "./sampling.ts";

export interface GenerateRequest {
  /** Tokens of the prompt; at least one, fewer than the context takes. */
  readonly ids: readonly number[];
  readonly maxTokens: number;
  /** Generation ends with one of these, which is part of the answer. */
  readonly stopIds: ReadonlySet<number>;
  readonly sampling: Sampling;
  readonly random: Random;
  readonly signal?: AbortSignal;
}

export interface Generated {
  /** The stop token among them. */
  readonly ids: readonly number[];
  /** One for each of `ids`; see `Sampled`. */
  readonly logprobs: readonly number[];
  readonly stop: "stop" | "length" | "context";
  /** Tokens of the prompt that were not read again. */
  readonly reused: number;
}

export interface DecoderOptions {
  /** Tokens that a sequence may have, prompt and answer together. */
  readonly contextTokens: number;
  /** Sequences that are under way at a time; default 8. */
  readonly batch?: number;
  /** Keys and values that are kept of what was read before; default 1 GiB. */
  readonly cacheBytes?: number;
}

/** A sequence under way. */
interface Sequence {
  readonly request: GenerateRequest;
  readonly ids: number[];
  readonly logprobs: number[];
  readonly reused: number;
  readonly done: (result: Generated) => void;
  readonly failed: (error: unknown) => void;
}

/** A request and who waits for it. */
type Waiting = Pick<Sequence, "request" | "done" | "failed">;

/** `columns`: of keys and values, which lack the last token of the sequence. */
interface Row {
  readonly sequence: Sequence;
  columns: number;
}

/** A sequence that has its first token. */
interface Joining {
  readonly row: Row;
  readonly past: KeyValues;
}

/**
 * Generates for many requests at once. All sequences under way take a step together; who comes joins at the next step
 * and who is done leaves, so nobody waits for the longest. What a request gets does not depend on who else is there, up
 * to the last bits of sums.
 */
export class Decoder {
  readonly #model: CausalModel;
  readonly #contextTokens: number;
  readonly #batch: number;
  readonly #cache: PrefixCache;
  #waiting: Waiting[] = [];
  #rows: readonly Row[] = [];
  #past: KeyValues;
  #running = false;

  constructor(model: CausalModel, { contextTokens, batch = 8, cacheBytes = 2 ** 30 }: DecoderOptions) {
    this.#model = model;
    this.#contextTokens = contextTokens;
    this.#batch = batch;
    this.#cache = new PrefixCache(model.shape, cacheBytes);
    this.#past = noKeyValues(model.shape, 0);
  }

  /** @throws InferenceError, the signal's reason */
  generate(request: GenerateRequest): Promise<Generated> {
    const { promise, resolve, reject } = Promise.withResolvers<Generated>();
    this.#waiting.push({ request, done: resolve, failed: reject });
    if (!this.#running) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Who asks in the same moment is served in the same batch.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#rows.length > 0) {
      try {
        await this.#admit();
        await this.#step();
      } catch (error) {
        for (const { sequence } of this.#rows) sequence.failed(error);
        this.#keep([], []);
      }
    }
    this.#running = false;
  }

  async #admit(): Promise<void> {
    this.#waiting = this.#waiting.filter((each) => !aborted(each));
    const some = this.#waiting.splice(0, this.#batch - this.#rows.length);
    if (some.length === 0) return;
    let joining: readonly Joining[];
    try {
      joining = await this.#begin(some);
    } catch (error) {
      for (const { failed } of some) failed(error);
      return;
    }
    if (joining.length === 0) return;
    const rows = [...this.#rows, ...joining.map(({ row }) => row)];
    const pasts = [
      ...this.#rows.map((row, index) => this.#pastOf(row, index)),
      ...joining.map(({ past }) => past),
    ];
    // Whatever fails from here on fails them all.
    this.#rows = rows;
    this.#keep(rows, pasts);
  }

  /** Reads prompts and chooses their first tokens; gives those that go on. */
  async #begin(some: readonly Waiting[]): Promise<readonly Joining[]> {
    const beginnings = some.map(({ request: { ids } }) => ({
      ids,
      // The last token is always read: its logits are those of the first new one.
      past: this.#cache.longest(ids, ids.length - 1),
    }));
    const read = await prefill(this.#model, beginnings);
    return some.flatMap((each, index) => {
      const found = read[index];
      if (found === undefined) return [];
      const { logits, past } = found;
      const reused = beginnings[index]?.past.columns ?? 0;
      const sequence = { ...each, ids: [...each.request.ids], logprobs: [], reused };
      return this.#take(sequence, { logits, past: () => past })
        ? [{ row: { sequence, columns: past.columns }, past }]
        : [];
    });
  }

  async #step(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return;
    const past = this.#past;
    const width = past.columns + 1;
    const mask = new Uint8Array(rows.length * width).fill(1);
    for (const [index, { columns }] of rows.entries()) {
      mask.fill(0, index * width, index * width + past.columns - columns);
    }
    const { logits, present } = await this.#model.forward({
      rows: rows.length,
      length: 1,
      ids: Int32Array.from(rows, ({ sequence }) => sequence.ids.at(-1) ?? 0),
      positions: Int32Array.from(rows, ({ columns }) => columns),
      mask,
      past,
    });
    this.#past = present;
    for (const row of rows) row.columns += 1;
    const { vocabulary } = this.#model;
    const goingOn = rows.map((row, index) =>
      this.#take(row.sequence, {
        logits: logits.subarray(index * vocabulary, (index + 1) * vocabulary),
        past: () => this.#pastOf(row, index),
      }),
    );
    if (goingOn.every(Boolean)) return;
    const left = rows.flatMap((row, index) =>
      goingOn[index] ? [{ row, past: this.#pastOf(row, index) }] : [],
    );
    this.#keep(
      left.map(({ row }) => row),
      left.map(({ past }) => past),
    );
  }

  /** Chooses the next token; gives whether the sequence goes on. */
  #take(
    sequence: Sequence,
    from: { readonly logits: Float32Array; readonly past: () => KeyValues },
  ): boolean {
    const { request, ids, logprobs } = sequence;
    if (aborted(sequence)) return false;
    try {
      const { token, logprob } = sampleToken(from.logits, request.sampling, request.random);
      ids.push(token);
      logprobs.push(logprob);
    } catch (cause) {
      sequence.failed(this.#fault(sequence, cause));
      return false;
    }
    const stop = this.#stopOf(sequence);
    if (stop === undefined) return true;
    this.#cache.put(ids.slice(0, -1), from.past());
    sequence.done({ ids: ids.slice(request.ids.length), logprobs, stop, reused: sequence.reused });
    return false;
  }

  #stopOf({ request, ids, logprobs }: Sequence): Generated["stop"] | undefined {
    if (request.stopIds.has(ids.at(-1) ?? -1)) return "stop";
    if (logprobs.length >= request.maxTokens) return "length";
    return ids.length >= this.#contextTokens ? "context" : undefined;
  }

  #fault({ ids }: Sequence, cause: unknown): InferenceError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new InferenceError(
      `${this.#model.source} gives no token after the first ${ids.length}: ${why}; export the model again, in fp32 if this was another precision`,
      { cause },
    );
  }

  #pastOf(row: Row, index: number): KeyValues {
    const { columns } = this.#past;
    return rowOf(this.#past, {
      shape: this.#model.shape,
      row: index,
      from: columns - row.columns,
      to: columns,
    });
  }

  #keep(rows: readonly Row[], pasts: readonly KeyValues[]): void {
    this.#rows = rows;
    this.#past = pasts.length === 0 ? noKeyValues(this.#model.shape, 0) : joined(pasts, this.#model.shape);
  }
}

function aborted({ request, failed }: Waiting): boolean {
  if (request.signal?.aborted !== true) return false;
  failed(request.signal.reason);
  return true;
}
