import { describe, expect, it } from "vitest";
import { z } from "zod";
import { conversationEnv } from "../../shared/env/conversation/conversation-env.ts";
import { defineTool } from "../../shared/env/define-env.ts";
import { envSpec, listEnvs } from "../../shared/env/envs.ts";
import type { AgentEnv, StepInfo, TimeStep } from "../../shared/env/protocol.ts";
import { timeStep } from "../../shared/env/time-step.ts";
import { EpisodeStatistics } from "../../shared/env/wrappers/episode-statistics.ts";
import { MaxSteps } from "../../shared/env/wrappers/max-steps.ts";
import { ObservationTruncate } from "../../shared/env/wrappers/observation-truncate.ts";
import { Recorder } from "../../shared/env/wrappers/recorder.ts";
import { Reward } from "../../shared/env/wrappers/reward.ts";
import { Timeout } from "../../shared/env/wrappers/timeout.ts";
import { ManualTime } from "../factories/manual-time.ts";
import { type PlainFacts, plainEnv, TOOL } from "../factories/plain-env.ts";
import { type GoldenCase, golden, hasGolden, whyGolden } from "../reward/golden.ts";

type Fields = Readonly<Record<string, unknown>>;
type Case = GoldenCase<Fields, unknown> & { readonly reference_function: string };

const cases = golden<Case>("core_env.json");

/** Of the sandbox, which has tests of its own; of value classes that there are none of here. */
const elsewhere = /^(?:task_config|sandbox_|replay_|tool_|toolresult_)/;
/** Cases that are left out or hold in part, and why. */
const apart: Readonly<Record<string, string>> = {
  conv_task_str: "a task is an object here",
  wrap_recorder_terminated:
    "its success is that the episode terminated; here the task's judge says it, or nobody",
  wrap_recorder_truncated:
    "its failure is that the episode was cut off; here the task's judge says it, or nobody",
  wrap_recorder_outside_reward: "as above; that it records the reward of the wrapper inside is tested below",
};

const usable = cases.filter((each) => each.reference_defect === undefined && !elsewhere.test(each.name));
const named = (prefix: string): readonly Case[] =>
  usable.filter(({ name }) => name.startsWith(prefix) && !Object.hasOwn(apart, name));

function one(name: string): Case {
  const found = cases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`core_env.json has no ${name}`);
  return found;
}

/** A time step in the reference's words. Texts differ in language, so of an observation only what it holds counts. */
function words(step: TimeStep): Fields {
  const { reward, terminated, truncated, done, info } = step;
  return { reward, terminated, truncated, done, info: infoWords(info) };
}

function infoWords(info: StepInfo): Fields {
  const { exitCode, step, tool, episode, timeout, elapsedSeconds, domain, maxTurns, availableTools } = info;
  const pairs = Object.entries({
    exit_code: exitCode,
    step,
    tool,
    episode,
    timeout,
    elapsed_seconds: elapsedSeconds,
    domain,
    max_turns: maxTurns,
    available_tools: availableTools,
  });
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

/** The expected step without what depends on the language of texts; of a wrapped one, without what only tools tell. */
function wanted(expected: unknown): Fields {
  const { observation_len, observation_contains, observation_equals, ...rest } = expected as Fields;
  return rest;
}

const stepSchema = z.looseObject({
  observation_contains: z.boolean().optional(),
  observation_equals: z.boolean().optional(),
});

async function play(env: AgentEnv, steps: number): Promise<readonly TimeStep[]> {
  await env.reset();
  const played: TimeStep[] = [];
  for (let step = 0; step < steps && played.at(-1)?.done !== true; step += 1)
    played.push(await env.step(TOOL));
  return played;
}

/** The exit codes of the reference's stub count its steps; so do those of `plainEnv`, which tells more besides. */
function plainly(step: TimeStep): Fields {
  const { step: _, tool: __, ...info } = infoWords(step.info);
  return { ...words(step), info };
}

describe.skipIf(!hasGolden)(`the environments of the reference${whyGolden}`, () => {
  it("are covered case by case", () => {
    const known = ["list_envs", "conv_", "wrap_", "timestep_defaults"];
    expect(usable.filter(({ name }) => !known.some((prefix) => name.startsWith(prefix)))).toEqual([]);
    expect(usable.length - Object.keys(apart).length).toBeGreaterThan(45);
  });

  it.each(named("list_envs").map((each) => [each.name, each] as const))("%s", (_, { input, expected }) => {
    const ids = listEnvs({ domain: z.string().parse(input["domain"]) }).map(({ name }) => name);
    expect(ids.filter((id) => id.startsWith("knowlyr/"))).toEqual(expected);
    expect(envSpec(String(ids[0]))?.version).toBe(1);
  });

  it.each(
    named("conv_")
      .filter(({ name }) => name.includes("_reset"))
      .map((each) => [each.name, each] as const),
  )("%s", async (_, { input, expected }) => {
    const { domain, task } = z.object({ domain: z.string(), task: z.looseObject({}) }).parse(input);
    const env = conversationEnv({ id: "gymline/x-v1", domain, maxTurns: 50 });
    const first = await env.reset({ task });
    const { tools, ts } = z.object({ tools: z.array(z.string()), ts: z.looseObject({}) }).parse(expected);
    expect(env.tools.map(({ name }) => name)).toEqual(tools);
    expect(words(first)).toEqual(wanted(ts));
    expect(first.observation).toBe("hi");
  });

  it.each(
    named("conv_")
      .filter(({ name }) => /_step_/.test(name))
      .map((each) => [each.name, each] as const),
  )("%s", async (_, { input, expected }) => {
    const { domain, action } = z
      .object({
        domain: z.string(),
        action: z.object({ tool: z.string(), params: z.record(z.string(), z.string()) }),
      })
      .parse(input);
    const env = conversationEnv({ id: "gymline/x-v1", domain, maxTurns: 50 });
    await env.reset();
    const step = await env.step(action);
    expect(words(step)).toEqual(wanted(expected));
    const { observation_contains, observation_equals } = stepSchema.parse(expected);
    const values = Object.values(action.params);
    expect(values.some((value) => step.observation.includes(value))).toBe(observation_contains);
    expect(values.includes(step.observation)).toBe(observation_equals);
  });

  it.each(named("conv_task_").map((each) => [each.name, each] as const))(
    "%s",
    async (_, { input, expected }) => {
      const env = conversationEnv({ id: "gymline/x-v1", domain: "conversation" });
      const task = z.looseObject({}).nullable().parse(input["task"]);
      expect((await env.reset(task === null ? {} : { task })).observation).toBe(expected);
    },
  );

  it.each(named("conv_terminal_on_last").map((each) => [each.name, each] as const))(
    "%s",
    async (_, { input, expected }) => {
      const maxTurns = z.number().parse(input["max_turns"]);
      const env = conversationEnv({ id: "gymline/x-v1", domain: "conversation", maxTurns });
      await env.reset();
      const step = await env.step({ tool: "respond", params: { message: "m" } });
      expect(words(step)).toEqual(wanted(expected));
    },
  );

  it("conv_external_tools: real functions in place of the mocks; one that throws is answered", async () => {
    const given = one("conv_external_tools");
    const { ts } = z.object({ ts: z.looseObject({}) }).parse(given.expected);
    const tool = (name: string, run: () => string) =>
      defineTool({ name, description: name, params: z.object({}), run });
    const boom = () => {
      throw new Error("division by zero");
    };
    const env = conversationEnv({
      id: "gymline/x-v1",
      domain: "conversation",
      tools: [tool("x", () => "X"), tool("boom", boom)],
    });
    await env.reset();
    expect(words(await env.step({ tool: "x", params: {} }))).toEqual(wanted(ts));
    expect((await env.step({ tool: "boom", params: {} })).info.error).toBe("boom: division by zero");
  });

  it.each(
    named("wrap_max_")
      .filter(({ name }) => name !== "wrap_max_reset_counter")
      .map((each) => [each.name, each] as const),
  )("%s, up to the end of the episode", async (_, { input, expected }) => {
    const given = z
      .object({
        inner: z.object({ term_at: z.number().optional(), trunc_at: z.number().optional() }),
        max_steps: z.number(),
        steps: z.number(),
      })
      .parse(input);
    const { term_at: endsAt, trunc_at: cutAt } = given.inner;
    const facts: PlainFacts = {
      ...(endsAt === undefined ? {} : { endsAt }),
      ...(cutAt === undefined ? {} : { cutAt }),
    };
    const steps = await play(new MaxSteps(plainEnv(facts), { maxSteps: given.max_steps }), given.steps);
    const rows = z.array(z.looseObject({ done: z.boolean() })).parse(expected);
    const last = rows.findIndex(({ done }) => done);
    expect(steps.map(plainly)).toEqual(rows.slice(0, last + 1).map(wanted));
  });

  it("wrap_max_reset_counter", async () => {
    const env = new MaxSteps(plainEnv(), { maxSteps: 2 });
    await play(env, 2);
    const before = env.stepCount;
    await env.reset();
    expect({ before, after: env.stepCount }).toEqual(one("wrap_max_reset_counter").expected);
  });

  it("wrap_timeout_terminated_wins", async () => {
    const time = new ManualTime();
    const inner = plainEnv({ endsAt: 1 });
    const late = Object.assign(Object.create(inner), {
      id: inner.id,
      reset: () => inner.reset(),
      // The step takes longer than there is, and is done all the same.
      step: async (action: typeof TOOL) => {
        const step = await inner.step(action);
        time.pass(400);
        return step;
      },
    }) as AgentEnv;
    const env = new Timeout(late, { milliseconds: 401, clock: time, timers: time });
    const steps = await play(env, 1);
    expect(steps.map(plainly)).toEqual([
      wanted((one("wrap_timeout_terminated_wins").expected as readonly unknown[])[0]),
    ]);
  });

  it("wrap_reward_overwrites", async () => {
    const seen: unknown[] = [];
    const env = new Reward(plainEnv({ rewards: [9] }), {
      fn: (steps) => {
        seen.splice(0, seen.length, ...steps.map(({ tool, params, output }) => ({ tool, params, output })));
        return 0.5 * steps.length;
      },
    });
    const steps = await play(env, 3);
    const { ts, steps_seen_last } = one("wrap_reward_overwrites").expected as Readonly<
      Record<string, readonly unknown[]>
    >;
    expect(steps.map(plainly)).toEqual(ts?.map(wanted));
    expect(seen).toEqual(steps_seen_last);
  });

  it("wrap_recorder_unfinished, and the rewards of wrap_recorder_outside_reward", async () => {
    const time = new ManualTime();
    const env = new Recorder(new Reward(plainEnv(), { fn: () => 0.75 }), {
      agent: { name: "", version: "", model: null },
      clock: time,
    });
    await env.reset({ task: { id: "T1", description: "D1" } });
    await env.step({ ...TOOL, thought: "th" });
    const { steps, extra } = env.getTrajectory();
    const given = one("wrap_recorder_unfinished").expected as { readonly steps: readonly Fields[] };
    const [first] = given.steps;
    expect(steps[1]).toMatchObject({
      message: first?.["thought"],
      tool_calls: [{ function_name: first?.["tool"], arguments: first?.["params"] }],
      observation: {
        results: [
          {
            content: first?.["output"],
            extra: { gymline: { exit_code: first?.["exit_code"], native: { reward: 0.75 } } },
          },
        ],
      },
    });
    expect(extra.gymline.outcome.success).toBeNull();
    expect(extra.gymline.task).toEqual({ id: "T1", description: "D1" });
  });

  it("wrap_stats", async () => {
    const given = one("wrap_stats");
    const rewards = z.array(z.number()).parse(given.input["rewards"]);
    const time = new ManualTime();
    const env = new EpisodeStatistics(plainEnv({ rewards, endsAt: 3 }), { clock: time });
    await env.reset();
    const steps: TimeStep[] = [];
    for (let step = 0; step < 3; step += 1) {
      // The reference reads its clock, which moves on by a second, at reset and at the end.
      if (step === 2) time.pass(1000);
      steps.push(await env.step(TOOL));
    }
    expect(steps.map(plainly)).toEqual((given.expected as readonly unknown[]).map(wanted));
  });

  it("wrap_trunc_short", async () => {
    const env = new ObservationTruncate(plainEnv({ observation: "abc" }), { maxChars: 3 });
    const first = await env.reset();
    const step = await env.step(TOOL);
    const flag = step.info["observationTruncated"] === true;
    expect({ reset: first.observation, step: step.observation, flag }).toEqual(
      one("wrap_trunc_short").expected,
    );
  });

  it("timestep_defaults", () => {
    const { observation, reward, terminated, truncated, info } = timeStep({ observation: "" });
    expect({ observation, reward, terminated, truncated, info }).toEqual(
      named("timestep_defaults")[0]?.expected,
    );
  });
});
