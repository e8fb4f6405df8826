import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { type Agent, AgentError } from "../../shared/agents/agent.ts";
import { type CollectOptions, collect, collectParallel } from "../../shared/collect/collect.ts";
import { envRunner } from "../../shared/collect/env-runner.ts";
import type { EpisodeEntry } from "../../shared/collect/episode-entry.ts";
import { MemoryLedger } from "../../shared/collect/memory-ledger.ts";
import { planEpisodes } from "../../shared/collect/plan-episodes.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { trajectorySchema } from "../../shared/trajectory/schema.ts";
import { adding, CountingEnv } from "../factories/counting-env.ts";

interface Setup {
  readonly tasks: readonly EnvTask[];
  readonly attempts?: number;
  readonly agent?: Agent;
  readonly ledger?: MemoryLedger;
}

function setup({ tasks, attempts = 1, agent = adding(2), ledger = new MemoryLedger() }: Setup) {
  const envs: CountingEnv[] = [];
  const options: CollectOptions = {
    run: "r",
    episodes: planEpisodes(tasks, { attempts, seed: 7 }),
    makeRunner: () =>
      envRunner({
        makeEnv: () => {
          const env = new CountingEnv();
          envs.push(env);
          return env;
        },
        agent,
        clock: systemClock,
      }),
    ledger,
    clock: systemClock,
  };
  return { options, ledger, envs };
}

const timeless = ({ started_at: _, seconds: __, ...rest }: EpisodeEntry) => rest;
const EASY: readonly EnvTask[] = [
  { id: "one", target: 1 },
  { id: "two", target: 2 },
  { id: "nine", target: 9 },
];

describe("collecting", () => {
  it("records each attempt with run, task, attempt and seed, and whether it succeeded", async () => {
    const { options, ledger } = setup({ tasks: EASY, attempts: 2 });
    const { entries, ended, missing, summary } = await collect(options);
    expect(entries.map(({ id, success, reward, stop }) => [id, success, reward, stop])).toEqual([
      ["one.0", true, 1, "terminated"],
      ["one.1", true, 1, "terminated"],
      ["two.0", true, 1, "terminated"],
      ["two.1", true, 1, "terminated"],
      ["nine.0", false, 0, "terminated"],
      ["nine.1", false, 0, "terminated"],
    ]);
    expect([ended, missing]).toEqual(["done", []]);
    expect(summary.tasks).toEqual({ solved: 2, mixed: 0, unsolved: 1 });
    const documents = [...ledger.documents.values()].map(({ bytes }) =>
      trajectorySchema.parse(JSON.parse(new TextDecoder().decode(bytes))),
    );
    const facts = documents.map(({ extra: { gymline } }) => gymline);
    expect(facts.map(({ task, metadata }) => [task.id, metadata?.["run"], metadata?.["attempt"]])).toEqual(
      entries.map(({ task, run, attempt }) => [task, run, attempt]),
    );
    expect(facts.map(({ metadata }) => metadata?.["seed"])).toEqual(entries.map(({ seed }) => seed));
    // Equal attempts stay apart.
    expect(new Set(facts.map(({ id }) => id)).size).toBe(6);
  });

  it("gives the same entries in the same order, however many are under way and whichever ends first", async () => {
    const delays = [30, 1, 15, 0, 22, 4, 9, 27];
    const tasks = delays.map((delay, index) => ({ id: `t${index}`, delay, target: index % 4 }));
    const alone = await collect(setup({ tasks }).options);
    const finished: string[] = [];
    const beside = await collectParallel({
      ...setup({ tasks }).options,
      parallel: 5,
      onEvent: (event) => event.kind === "end" && finished.push(event.entry.id),
    });
    expect(beside.entries.map(timeless)).toEqual(alone.entries.map(timeless));
    expect(beside.entries.map(({ id }) => id)).toEqual(tasks.map(({ id }) => `${id}.0`));
    expect(finished).not.toEqual(beside.entries.map(({ id }) => id));
    expect(beside.summary).toEqual(alone.summary);
  });

  it("keeps an environment for the next episode, resets it each time, and closes all at the end", async () => {
    const { options, envs } = setup({ tasks: EASY, attempts: 4 });
    const { entries } = await collectParallel({ ...options, parallel: 3 });
    expect(envs).toHaveLength(3);
    expect(envs.every(({ closed }) => closed)).toBe(true);
    expect(envs.flatMap(({ seeds }) => seeds).sort()).toEqual(entries.map(({ seed }) => seed).sort());
  });

  it("records a failed episode as one, and goes on with the others in a fresh environment", async () => {
    const tasks = [
      { id: "good", target: 1 },
      { id: "no-reset", fault: "reset" },
      { id: "no-step", fault: "step" },
      { id: "last", target: 1 },
    ];
    const { options, ledger, envs } = setup({ tasks });
    const { entries, summary, missing, ended } = await collect(options);
    expect(entries.map(({ id, kind, success, error }) => [id, kind, success, error?.message])).toEqual([
      ["good.0", "done", true, undefined],
      ["no-reset.0", "failed", null, "no counter"],
      ["no-step.0", "failed", null, "the counter broke"],
      ["last.0", "done", true, undefined],
    ]);
    expect([ended, missing]).toEqual(["done", ["no-reset.0", "no-step.0"]]);
    expect(summary.failures).toEqual({ EnvFaultError: 2 });
    expect(summary.success).toMatchObject({ value: 1, n: 2 });
    expect(ledger.documents.has("no-step.0")).toBe(true);
    expect(envs).toHaveLength(3);
  });

  it("does, when it starts anew, what is missing and what failed, and nothing else", async () => {
    const ledger = new MemoryLedger();
    const broken = [...EASY, { id: "late", fault: "step" }];
    await collect(setup({ tasks: broken, ledger }).options);
    const mended = [...EASY, { id: "late", target: 1 }, { id: "more", target: 1 }];
    const started: string[] = [];
    const { entries } = await collect({
      ...setup({ tasks: mended, ledger }).options,
      onEvent: (event) => event.kind === "start" && started.push(event.episode.id),
    });
    expect(started).toEqual(["late.0", "more.0"]);
    expect(entries.map(({ id, kind }) => [id, kind])).toEqual(mended.map(({ id }) => [`${id}.0`, "done"]));
  });

  it("gives up what is under way when it is stopped, and can go on later", async () => {
    const ledger = new MemoryLedger();
    const tasks = Array.from({ length: 6 }, (_, index) => ({ id: `t${index}`, target: 1, delay: 20 }));
    const stop = new AbortController();
    const first = await collectParallel({
      ...setup({ tasks, ledger }).options,
      parallel: 2,
      signal: stop.signal,
      onEvent: (event) => event.kind === "end" && stop.abort(new Error("Ctrl-C")),
    });
    expect(first.ended).toBe("stopped");
    expect(first.missing.length).toBeGreaterThanOrEqual(4);
    const second = await collectParallel({ ...setup({ tasks, ledger }).options, parallel: 2 });
    expect([second.ended, second.missing, second.entries.length]).toEqual(["done", [], 6]);
  });

  it("begins nothing once its money is spent, and counts what earlier starts spent", async () => {
    const ledger = new MemoryLedger();
    const dear: Agent = {
      ...adding(1),
      begin: (start) => {
        const episode = adding(1).begin(start);
        return { ...episode, act: async (...given) => ({ ...(await episode.act(...given)), costUsd: 1 }) };
      },
    };
    const { options } = setup({ tasks: EASY, attempts: 2, agent: dear, ledger });
    const first = await collect({ ...options, maxUsd: 3 });
    expect([first.ended, first.summary.costUsd]).toEqual(["budget", 4]);
    expect(first.missing).toEqual(["two.1", "nine.0", "nine.1"]);
    expect((await collect({ ...options, maxUsd: 4 })).missing).toEqual(first.missing);
    expect((await collect({ ...options, maxUsd: 100 })).ended).toBe("done");
  });

  it("lets what is under way come to its end when it is drained, and begins nothing more", async () => {
    const { options } = setup({ tasks: EASY, attempts: 2 });
    const drain = new AbortController();
    const first = await collect({
      ...options,
      drain: drain.signal,
      onEvent: ({ kind }) => kind === "turn" && drain.abort(),
    });
    expect([first.ended, first.entries.map(({ id }) => id)]).toEqual(["stopped", ["one.0"]]);
    expect(first.missing).toHaveLength(5);
    const rest = await collect(options);
    expect([rest.ended, rest.missing, rest.entries[0]]).toEqual(["done", [], first.entries[0]]);
  });

  it("ends after so many failures in a row, which are no fault of the episodes", async () => {
    const down: Agent = {
      ...adding(1),
      begin: () => ({
        systemPrompt: null,
        act: async () => {
          throw new AgentError("the provider is down", { reason: "provider" });
        },
      }),
    };
    const { options } = setup({ tasks: EASY, attempts: 8, agent: down });
    const { ended, entries, summary } = await collect({ ...options, maxFailuresInRow: 4 });
    expect([ended, entries.length]).toEqual(["failures", 4]);
    expect(summary.failures).toEqual({ "agent:provider": 4 });
    expect(summary.success).toMatchObject({ value: null });
  });

  it("counts an attempt that ran out of its budget as one, with its verdict", async () => {
    const spent: Agent = {
      ...adding(1),
      begin: () => ({
        systemPrompt: null,
        act: async () => {
          throw new AgentError("no more", { reason: "budget" });
        },
      }),
    };
    const { entries } = await collect(setup({ tasks: [{ id: "t" }], agent: spent }).options);
    expect(entries[0]).toMatchObject({ kind: "done", stop: "agent_error:budget", error: null });
  });

  it("throws what hits every episode alike, after all runners are closed", async () => {
    const { options } = setup({ tasks: EASY, attempts: 3 });
    const makeRunner = () =>
      envRunner({
        makeEnv: () => {
          throw new Error("no such environment");
        },
        agent: adding(1),
        clock: systemClock,
      });
    await expect(collectParallel({ ...options, makeRunner, parallel: 2 })).rejects.toThrow(
      "no such environment",
    );
  });
});

describe("the plan of a run", () => {
  it("gives each episode a seed that hangs on run, task and attempt, and not on its place", () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        names,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 2 ** 40 }),
        (ids, attempts, seed) => {
          const tasks = ids.map((id) => ({ id }));
          const plan = planEpisodes(tasks, { attempts, seed });
          expect(plan).toHaveLength(ids.length * attempts);
          expect(plan.map(({ index }) => index)).toEqual(plan.map((_, index) => index));
          const folded = plan.map(({ id }) => id.toLowerCase());
          expect(new Set(folded).size).toBe(plan.length);
          for (const { id } of plan) expect(id).toMatch(/^[a-z0-9_-][a-z0-9._-]*\.\d+$/i);
          const backwards = planEpisodes(tasks.toReversed(), { attempts, seed });
          const seeds = new Map(backwards.map((each) => [each.id, each.seed]));
          for (const each of plan) expect(seeds.get(each.id)).toBe(each.seed);
          const other = planEpisodes(tasks, { attempts, seed: seed + 1 });
          expect(other.map((each) => each.seed)).not.toEqual(plan.map((each) => each.seed));
        },
      ),
    );
  });

  it("refuses tasks that could not be told apart", () => {
    const plan = { attempts: 1, seed: 0 };
    expect(() => planEpisodes([{ id: "a" }, { id: "a" }], plan)).toThrow('two tasks with the id "a"');
    expect(() => planEpisodes([{ id: "a" }, { description: "x" }], plan)).toThrow("Task 2 has no id");
  });
});
