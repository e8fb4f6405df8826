import { describe, expect, it } from "vitest";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import type { EpisodeEntry } from "../../shared/collect/episode-entry.ts";
import { planEpisodes } from "../../shared/collect/plan-episodes.ts";
import { readRollout } from "../../shared/rollout/read-rollout.ts";
import { Heartbeat, type RolloutProgress } from "../../shared/rollout/rollout-progress.ts";
import { ManualTime } from "../factories/manual-time.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const EPISODES = planEpisodes([{ id: "a" }, { id: "b" }, { id: "c" }], { attempts: 1, seed: 1 });

function entryOf(id: string, more: Partial<EpisodeEntry> = {}): EpisodeEntry {
  return {
    schema: "gymline.episode.v1",
    run: "r",
    ...{ id, task: id, attempt: 0, seed: 1, kind: "done", success: true, score: null, reward: 1 },
    ...{ turns: 2, steps: 2, stop: "terminated", tokens: null, cost_usd: 0.5, error: null, file: null },
    started_at: "2026-01-01T00:00:00.000Z",
    seconds: 1.5,
    ...more,
  };
}

function bench(store: Pick<DirectoryStore, "put"> = new DirectoryStore(temporaryFolder("progress"))) {
  const time = new ManualTime();
  const beats: { readonly progress: RolloutProgress; readonly fault?: unknown }[] = [];
  const heartbeat = new Heartbeat({
    ...{ store, clock: time, timers: time, everyMs: 1000 },
    about: { run: "r", shard: 3, job: "j:3", attempt: 2, episodes: 3 },
    before: [entryOf("a.0")],
    onBeat: (progress, fault) => beats.push({ progress, fault }),
  });
  return { time, beats, heartbeat };
}

const start = (index: number) => {
  const episode = EPISODES[index];
  if (episode === undefined) throw new TypeError(`there is no episode ${index}`);
  return { kind: "start", slot: index, episode } as const;
};

describe("the heartbeat of a rollout's job", () => {
  it("beats while the job runs, and says what is under way and when something last went on", async () => {
    const { time, beats, heartbeat } = bench();
    heartbeat.start();
    heartbeat.update(start(1));
    time.pass(400);
    heartbeat.update({ kind: "turn", slot: 1, turns: 1 });
    time.pass(2000);
    expect(heartbeat.progress()).toMatchObject({
      ...{ done: 1, failed: 0, under_way: ["b.0"], cost_usd: 0.5 },
      at: "2026-01-01T00:00:02.400Z",
      progressed_at: "2026-01-01T00:00:00.400Z",
    });
    await heartbeat.end("ended");
    expect(beats).toHaveLength(4);
    expect(time.pending).toBe(0);
  });

  it("leaves as its last word what is to be run again", async () => {
    const store = new DirectoryStore(temporaryFolder("progress"));
    const { heartbeat } = bench(store);
    heartbeat.start();
    heartbeat.update(start(1));
    heartbeat.update({ kind: "end", slot: 1, entry: entryOf("b.0", { kind: "failed", success: null }) });
    heartbeat.update(start(2));
    await heartbeat.end("interrupted");
    const { shards, done, failed, succeeded, costUsd } = await readRollout(store, "r");
    expect(shards).toMatchObject([{ shard: 3, state: "interrupted", under_way: ["c.0"], attempt: 2 }]);
    expect({ done, failed, succeeded, costUsd }).toEqual({ done: 1, failed: 1, succeeded: 1, costUsd: 1 });
  });

  it("goes on where it cannot be written down", async () => {
    const { time, beats, heartbeat } = bench({ put: () => Promise.reject(new Error("no store")) });
    heartbeat.start();
    time.pass(1000);
    await heartbeat.end("ended");
    expect(beats.map(({ fault }) => String(fault))).toEqual(Array(3).fill("Error: no store"));
  });
});
