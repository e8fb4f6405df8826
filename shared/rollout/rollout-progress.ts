import { z } from "zod";
import type { CollectEvent } from "../collect/collect.ts";
import type { EpisodeEntry } from "../collect/episode-entry.ts";
import { rolloutProgressKey } from "../contracts/keys.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Timers } from "../ports/timers.ts";

const count = z.int().nonnegative();

/** How far the job of one shard is: its heartbeat while it runs, its last word after. */
export const rolloutProgressSchema = z.strictObject({
  schema: z.literal("gymline.rollout-progress.v1"),
  run: z.string(),
  shard: count,
  /** Batch's id of the job; null where it runs by hand. */
  job: z.string().nullable(),
  /** Batch's tries of this job, from 1. */
  attempt: z.int().positive(),
  /** `interrupted`: stopped before it was through, to be tried again. */
  state: z.enum(["running", "interrupted", "ended"]),
  episodes: count,
  done: count,
  failed: count,
  /** Of done episodes. */
  succeeded: count,
  /** Ids of episodes that were under way when this was written; of an interrupted job, those that are run again. */
  under_way: z.array(z.string()),
  cost_usd: z.number().nonnegative(),
  /** When this was written: a running job writes it again and again. */
  at: z.iso.datetime(),
  /** When an agent last answered or an episode last ended. */
  progressed_at: z.iso.datetime(),
});
export type RolloutProgress = Readonly<z.infer<typeof rolloutProgressSchema>>;

export interface HeartbeatOptions {
  readonly store: Pick<ObjectStore, "put">;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly everyMs: number;
  readonly about: Pick<RolloutProgress, "run" | "shard" | "job" | "attempt" | "episodes">;
  /** What earlier tries of the job have done. */
  readonly before: Iterable<EpisodeEntry>;
  /** Is told what is written, and what kept it from being written. */
  readonly onBeat: (progress: RolloutProgress, fault?: unknown) => void;
}

/** Tells the store of a job that it lives, and how far it is. That it cannot is no reason to end the job. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #entries = new Map<string, EpisodeEntry>();
  /** Episodes under way by their slots. */
  readonly #underWay = new Map<number, string>();
  #progressedAt: number;
  #state: RolloutProgress["state"] = "running";
  #cancel: () => void = () => undefined;
  /** Beats one after another: a late one must not stand over the last. */
  #writing: Promise<void> = Promise.resolve();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    for (const entry of options.before) this.#entries.set(entry.id, entry);
    this.#progressedAt = options.clock.now();
  }

  start(): void {
    this.#beat();
  }

  update(event: CollectEvent): void {
    if (event.kind === "start") this.#underWay.set(event.slot, event.episode.id);
    if (event.kind === "end") {
      this.#underWay.delete(event.slot);
      this.#entries.set(event.entry.id, event.entry);
    }
    if (event.kind !== "start") this.#progressedAt = this.#options.clock.now();
  }

  /** The last beat. */
  async end(state: "interrupted" | "ended"): Promise<RolloutProgress> {
    this.#cancel();
    this.#state = state;
    const progress = this.progress();
    await this.#write(progress);
    return progress;
  }

  /** As it is now. */
  progress(): RolloutProgress {
    const { about, clock } = this.#options;
    const entries = [...this.#entries.values()];
    const done = entries.filter(({ kind }) => kind === "done");
    return {
      schema: "gymline.rollout-progress.v1",
      ...about,
      state: this.#state,
      done: done.length,
      failed: entries.length - done.length,
      succeeded: done.filter(({ success }) => success === true).length,
      under_way: [...this.#underWay.values()].sort(),
      cost_usd: entries.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0),
      at: new Date(clock.now()).toISOString(),
      progressed_at: new Date(this.#progressedAt).toISOString(),
    };
  }

  #beat(): void {
    const { timers, everyMs } = this.#options;
    this.#cancel = timers.after(everyMs, () => this.#beat());
    void this.#write(this.progress());
  }

  #write(progress: RolloutProgress): Promise<void> {
    const { store, about, onBeat } = this.#options;
    const bytes = new TextEncoder().encode(`${JSON.stringify(progress)}\n`);
    this.#writing = this.#writing
      .then(() => store.put(rolloutProgressKey(about.run, about.shard), bytes))
      .then(
        () => onBeat(progress),
        (fault: unknown) => onBeat(progress, fault),
      );
    return this.#writing;
  }
}
