import type { Clock } from "../ports/clock.ts";
import type { EpisodeLedger } from "../ports/episode-ledger.ts";
import { type CollectSummary, collectSummary } from "./collect-summary.ts";
import type { EpisodeEntry } from "./episode-entry.ts";
import type { EpisodeOutput, EpisodeRunner } from "./episode-runner.ts";
import type { EpisodePlan } from "./plan-episodes.ts";

export interface CollectOptions {
  /** Name of the run, in every record. */
  readonly run: string;
  readonly episodes: readonly EpisodePlan[];
  /** Called once for each episode that may be under way at a time. */
  readonly makeRunner: () => EpisodeRunner;
  readonly ledger: EpisodeLedger;
  readonly clock: Clock;
  /** US dollars of the run; once they are spent no episode begins. Those under way may go over it. */
  readonly maxUsd?: number;
  /** So many failed episodes one after another end the run: the fault is not the episodes'. Default 10; 0: never. */
  readonly maxFailuresInRow?: number;
  /** Stops the run; episodes under way are given up and are missing until it goes on. */
  readonly signal?: AbortSignal;
  /** No episode begins once it fires; those under way go on, and what did not begin is missing. */
  readonly drain?: AbortSignal;
  readonly onEvent?: (event: CollectEvent) => void;
}

export type CollectEvent =
  | { readonly kind: "start"; readonly slot: number; readonly episode: EpisodePlan }
  | { readonly kind: "turn"; readonly slot: number; readonly turns: number }
  | { readonly kind: "end"; readonly slot: number; readonly entry: EpisodeEntry };

export interface CollectResult {
  /** In the order of the episodes, whichever ended first; those that were not run are not here. */
  readonly entries: readonly EpisodeEntry[];
  /** Ids of episodes that another start of the run would do. */
  readonly missing: readonly string[];
  /** Why the run ended before all was done. */
  readonly ended: "done" | "budget" | "failures" | "stopped";
  readonly summary: CollectSummary;
}

/** Runs episodes one after the other. What an earlier start of the run has done is left as it is. */
export async function collect(options: CollectOptions): Promise<CollectResult> {
  return collectParallel({ ...options, parallel: 1 });
}

/**
 * Runs episodes side by side. A failed episode is an entry like any other and is run again when the run is started anew;
 * it takes nothing else with it.
 * @throws what a ledger throws; the signal is no error
 */
export async function collectParallel(
  options: CollectOptions & { readonly parallel: number },
): Promise<CollectResult> {
  const run = new CollectRun(options, await options.ledger.entries());
  return run.result(options.parallel);
}

class CollectRun {
  readonly #options: CollectOptions;
  readonly #entries: Map<string, EpisodeEntry>;
  readonly #waiting: EpisodePlan[];
  readonly #stopper = new AbortController();
  #usd: number;
  #failures = 0;
  #ended: CollectResult["ended"] = "done";

  constructor(options: CollectOptions, before: ReadonlyMap<string, EpisodeEntry>) {
    this.#options = options;
    const wanted = options.episodes.flatMap(({ id }) => before.get(id) ?? []);
    this.#entries = new Map(wanted.map((entry) => [entry.id, entry]));
    this.#waiting = options.episodes.filter(({ id }) => this.#isMissing(id));
    this.#usd = wanted.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0);
  }

  async result(parallel: number): Promise<CollectResult> {
    const { signal, drain, episodes } = this.#options;
    const stop = () => this.#stopper.abort(signal?.reason);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
    const slots = Math.min(parallel, this.#waiting.length);
    try {
      const ends = await Promise.allSettled(Array.from({ length: slots }, (_, slot) => this.#work(slot)));
      const failed = ends.find((end) => end.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    const missing = episodes.filter(({ id }) => this.#isMissing(id)).map(({ id }) => id);
    if ((signal?.aborted === true || drain?.aborted === true) && missing.length > 0) this.#ended = "stopped";
    const entries = episodes.flatMap(({ id }) => this.#entries.get(id) ?? []);
    return { entries, missing, ended: this.#ended, summary: collectSummary(entries) };
  }

  async #work(slot: number): Promise<void> {
    const runner = this.#options.makeRunner();
    try {
      for (let episode = this.#next(); episode !== undefined; episode = this.#next()) {
        this.#tell({ kind: "start", slot, episode });
        const entry = await this.#episode(runner, { episode, slot });
        if (entry === null) return;
        this.#tell({ kind: "end", slot, entry });
      }
    } catch (error) {
      // Nothing more is begun once the ledger or all runners fail.
      this.#waiting.length = 0;
      this.#stopper.abort(error);
      throw error;
    } finally {
      await runner.close();
    }
  }

  #next(): EpisodePlan | undefined {
    const { maxUsd, maxFailuresInRow = 10, drain } = this.#options;
    if (this.#stopper.signal.aborted || drain?.aborted === true || this.#waiting.length === 0)
      return undefined;
    if (maxUsd !== undefined && this.#usd >= maxUsd) this.#ended = "budget";
    else if (maxFailuresInRow > 0 && this.#failures >= maxFailuresInRow) this.#ended = "failures";
    else return this.#waiting.shift();
    return undefined;
  }

  /** Null: it was given up. */
  async #episode(
    runner: EpisodeRunner,
    { episode, slot }: { readonly episode: EpisodePlan; readonly slot: number },
  ): Promise<EpisodeEntry | null> {
    const { run, clock, ledger } = this.#options;
    const { signal } = this.#stopper;
    const started = clock.now();
    const onTurn = (turns: number) => this.#tell({ kind: "turn", slot, turns });
    let output: EpisodeOutput;
    try {
      output = await runner.run(episode, { run, signal, onTurn });
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
    const { document, costUsd, ...facts } = output;
    const entry = await ledger.keep(
      {
        schema: "gymline.episode.v1",
        run,
        id: episode.id,
        task: episode.taskId,
        attempt: episode.attempt,
        seed: episode.seed,
        ...facts,
        cost_usd: costUsd,
        started_at: new Date(started).toISOString(),
        seconds: Math.max(0, clock.now() - started) / 1000,
      },
      document,
    );
    this.#entries.set(entry.id, entry);
    this.#usd += costUsd ?? 0;
    this.#failures = entry.kind === "failed" ? this.#failures + 1 : 0;
    return entry;
  }

  #isMissing(id: string): boolean {
    return this.#entries.get(id)?.kind !== "done";
  }

  #tell(event: CollectEvent): void {
    this.#options.onEvent?.(event);
  }
}
