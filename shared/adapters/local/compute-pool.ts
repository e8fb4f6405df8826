import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import type { ScoreEvidence } from "../../contracts/evidence.ts";
import type { EncodedGroup } from "../../dataset/targets/parquet-group.ts";
import {
  type Compute,
  type ComputedRecord,
  type ComputedScore,
  ComputeLostError,
  ComputeStoppedError,
  type GroupRows,
  type GroupTask,
  type RefusedRow,
  type RenderedRow,
  type RowGroupTask,
  type RowTask,
  type TokensCount,
  type TokensTask,
} from "../../ports/compute.ts";
import type { SourceRecord } from "../../reading/source.ts";
import type { TokenizerFiles } from "../../tokenizer/tokenizer-files.ts";
import {
  type ComputeResult,
  type ComputeTask,
  errorFrom,
  ownBuffer,
  sharedBytes,
  type ThreadMessage,
  type WorkerSetup,
} from "./compute-messages.ts";

/** Tasks are sent in batches up to so many bytes or pieces: a message costs more than a small task's work. */
const BATCH_BYTES = 256 << 10;
const BATCH_TASKS = 32;

/**
 * A small young generation: most of what a task makes is dead when it ends, and what fits into the processor's cache
 * is collected faster. Measured on the benchmark's corpus: less time, and 40 % less memory.
 */
const RESOURCES = { maxYoungGenerationSizeMb: 24 } as const;

interface Waiting {
  readonly task: ComputeTask;
  readonly size: number;
  /** Threads that died with it. From the first on it goes alone, so that it can take no other task with it. */
  deaths: number;
  resolve(result: ComputeResult): void;
  reject(error: unknown): void;
}

interface Thread {
  readonly worker: Worker;
  busy: readonly Waiting[];
  ready: boolean;
  /** It has answered before: what ends it may have been left behind by an earlier task. */
  used: boolean;
  /** What was thrown in it, outside of a task: it will end. */
  fault: unknown;
}

/** A task that was alone with so many dying threads is to blame, whatever they did before. */
const DEATHS = 3;

/** Worker threads that compute; the calling thread alone reads and writes. */
export class ComputePool implements Compute {
  readonly #setup: WorkerSetup;
  readonly #size: number;
  readonly #threads: Thread[] = [];
  /** Files of tokenizers in memory that all threads see, by the SHA-256 of their contents. */
  readonly #tokenizers = new Map<string, TokenizerFiles>();
  #queue: Waiting[] = [];
  #scheduled = false;
  /** Why no task is taken any more. */
  #stopped: ComputeStoppedError | undefined;

  constructor({ threads, ...setup }: WorkerSetup & { readonly threads: number }) {
    this.#setup = setup;
    this.#size = threads;
    this.#startAll();
  }

  ingest(record: SourceRecord): Promise<ComputedRecord> {
    const bytes = ownBuffer(record.bytes);
    const task: ComputeTask = { kind: "ingest", record: { ...record, bytes } };
    return this.#add(task, [bytes]) as Promise<ComputedRecord>;
  }

  score(document: Uint8Array, evidence?: ScoreEvidence): Promise<ComputedScore> {
    const bytes = ownBuffer(document);
    return this.#add({ kind: "score", document: bytes, evidence }, [bytes]) as Promise<ComputedScore>;
  }

  row({ document, score, ...rest }: RowTask): Promise<RenderedRow | RefusedRow> {
    const own = ownBuffer(document);
    const ownScore = score === undefined ? undefined : ownBuffer(score);
    const task: ComputeTask = { kind: "row", document: own, score: ownScore, ...rest };
    return this.#add(task, ownScore === undefined ? [own] : [own, ownScore]) as Promise<
      RenderedRow | RefusedRow
    >;
  }

  group(group: GroupTask): Promise<GroupRows> {
    const buffers: Uint8Array<ArrayBuffer>[] = [];
    const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
      const buffer = ownBuffer(bytes);
      buffers.push(buffer);
      return buffer;
    };
    const parts = group.parts.map(({ id, document, score }) => ({
      id,
      document: own(document),
      score: score === undefined ? undefined : own(score),
    }));
    return this.#add({ kind: "group", group: { ...group, parts } }, buffers) as Promise<GroupRows>;
  }

  rowGroup({ lines, target }: RowGroupTask): Promise<EncodedGroup> {
    const own = ownBuffer(lines);
    return this.#add({ kind: "row-group", lines: own, target }, [own]) as Promise<EncodedGroup>;
  }

  tokens({ document, tokenizer }: TokensTask): Promise<TokensCount> {
    const own = ownBuffer(document);
    const shared = tokenizer && { ...tokenizer, files: this.#shared(tokenizer) };
    return this.#add({ kind: "tokens", document: own, tokenizer: shared }, [own]) as Promise<TokensCount>;
  }

  /**
   * Gives back the memory of threads that have nothing to do: a heap each. The next task starts them anew. To be called
   * while nothing is under way.
   */
  async rest(): Promise<void> {
    const idle = this.#threads.filter(({ busy }) => busy.length === 0);
    if (this.#queue.length > 0 || idle.length < this.#threads.length) return;
    this.#threads.length = 0;
    await Promise.all(idle.map(({ worker }) => worker.terminate()));
  }

  async close(): Promise<void> {
    const error = new ComputeStoppedError("the compute threads were stopped");
    this.#stopped ??= error;
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
    const open = [...this.#threads.flatMap(({ busy }) => busy), ...this.#queue.splice(0)];
    for (const waiting of open) waiting.reject(error);
  }

  #shared({ sha256, files }: NonNullable<TokensTask["tokenizer"]>): TokenizerFiles {
    const known = this.#tokenizers.get(sha256);
    if (known !== undefined) return known;
    const { name, tokenizer, config, template } = files;
    const shared = {
      name,
      tokenizer: sharedBytes(tokenizer),
      ...(config === undefined ? {} : { config: sharedBytes(config) }),
      ...(template === undefined ? {} : { template: sharedBytes(template) }),
    };
    this.#tokenizers.set(sha256, shared);
    return shared;
  }

  #add(task: ComputeTask, buffers: readonly Uint8Array<ArrayBuffer>[]): Promise<ComputeResult> {
    const size = buffers.reduce((sum, { length }) => sum + length, 0);
    return new Promise((resolve, reject) => {
      if (this.#stopped !== undefined) {
        reject(this.#stopped);
        return;
      }
      this.#queue.push({ task, size, deaths: 0, resolve, reject });
      this.#schedule();
    });
  }

  /** Waits for the current turn of the event loop to end, so that tasks added together travel together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #startAll(): void {
    for (let index = 0; index < this.#size; index += 1) this.#threads.push(this.#start());
  }

  #dispatch(): void {
    if (this.#threads.length === 0 && this.#queue.length > 0 && this.#stopped === undefined) this.#startAll();
    for (const thread of this.#threads) {
      if (this.#queue.length === 0) return;
      if (thread.busy.length > 0 || thread.fault !== undefined) continue;
      const batch = this.#nextBatch();
      thread.busy = batch;
      // Copied, not handed over: the task is still needed if the thread dies.
      thread.worker.postMessage({ tasks: batch.map(({ task }) => task) });
    }
  }

  /** Shares a short queue among the idle threads. */
  #nextBatch(): readonly Waiting[] {
    const idle = this.#threads.filter(({ busy }) => busy.length === 0).length;
    const share = Math.min(BATCH_TASKS, Math.ceil(this.#queue.length / Math.max(1, idle)));
    let count = 0;
    let bytes = 0;
    while (count < share && (count === 0 || bytes < BATCH_BYTES)) {
      const next = this.#queue[count];
      const alone = next !== undefined && next.deaths > 0;
      if (alone && count > 0) break;
      bytes += next?.size ?? 0;
      count += 1;
      if (alone) break;
    }
    const batch = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return batch;
  }

  #start(): Thread {
    // The entry has the ending of this file: `.ts` in the repository, `.js` in the package.
    const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const entry = new URL(`./compute-worker.${ending}`, import.meta.url);
    const worker = new Worker(entry, {
      workerData: this.#setup,
      resourceLimits: RESOURCES,
      env: environmentOfThread(),
    });
    const thread: Thread = { worker, busy: [], ready: false, used: false, fault: undefined };
    worker.on("message", (message: ThreadMessage) => {
      if ("ready" in message) {
        thread.ready = true;
        return;
      }
      const { answers } = message;
      const batch = thread.busy;
      thread.busy = [];
      thread.used = true;
      this.#dispatch();
      for (const [index, waiting] of batch.entries()) {
        const answer = answers[index];
        if (answer === undefined) waiting.reject(new ComputeLostError("a compute thread gave no answer"));
        else if (answer.ok) waiting.resolve(answer.result);
        else waiting.reject(errorFrom(answer.error));
      }
    });
    worker.on("error", (cause) => {
      thread.fault = cause;
    });
    // Only now have all its messages come.
    worker.on("exit", () => this.#fail(thread));
    return thread;
  }

  /**
   * A dead thread is replaced and its tasks are tried again, each alone; one that then ends a thread that did nothing
   * else fails. A thread that dies before it is ready is not replaced, since the next one would die likewise.
   */
  #fail(thread: Thread): void {
    const index = this.#threads.indexOf(thread);
    if (index < 0 || this.#stopped !== undefined) return;
    const cause = thread.fault;
    const lost = thread.busy;
    thread.busy = [];
    if (thread.ready) this.#threads[index] = this.#start();
    else this.#threads.splice(index, 1);
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    const error = new ComputeLostError(`a compute thread ended before it answered${why}`, { cause });
    for (const waiting of lost.toReversed()) {
      if (thread.ready) waiting.deaths += 1;
      if (waiting.deaths >= (thread.used ? DEATHS : 2)) waiting.reject(error);
      else this.#queue.unshift(waiting);
    }
    if (this.#threads.length === 0) {
      this.#stopped = new ComputeStoppedError(`no compute thread could be started${why}`, { cause });
      for (const waiting of this.#queue.splice(0)) waiting.reject(this.#stopped);
    }
    this.#dispatch();
  }
}

/** Compiled modules that the program keeps serve its threads as well, which Node tells only by this variable. */
function environmentOfThread(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  // Node gives the folder of its own version in the one it was told.
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(folder) };
}
