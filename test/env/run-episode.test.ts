import { describe, expect, it } from "vitest";
import { AgentError } from "../../shared/agents/agent.ts";
import { type Script, scriptedAgent } from "../../shared/agents/scripted.ts";
import { makeEnv } from "../../shared/env/envs.ts";
import { type AgentEnv, EnvFaultError } from "../../shared/env/protocol.ts";
import { type EpisodeRequest, runEpisode } from "../../shared/env/rollout/run-episode.ts";
import { type Trajectory, trajectorySchema } from "../../shared/trajectory/schema.ts";
import { ManualTime } from "../factories/manual-time.ts";
import { plainEnv } from "../factories/plain-env.ts";

const solved = { success: true, score: 1 };
const call = (tool: string, params: Record<string, unknown> = {}) => ({ tool, params });

async function episode(env: AgentEnv, script: Script, more: Partial<EpisodeRequest> = {}) {
  const request = { env, agent: scriptedAgent(script), clock: new ManualTime(), ...more };
  const result = await runEpisode(request);
  if (result.trajectory !== null) trajectorySchema.parse(result.trajectory);
  return result;
}

function shape(trajectory: Trajectory | null): unknown {
  return trajectory?.steps.map((step) => [
    step.source,
    step.message,
    ...(step.tool_calls ?? []).map((each) => each.function_name),
    ...(step.observation?.results ?? []).map((each) => each.content),
  ]);
}

describe("an episode", () => {
  it("steps the calls of a turn one by one and records them as one step", async () => {
    const { trajectory, outcome, statistics, failure } = await episode(
      plainEnv({ endsAt: 3, rewards: [0.5], verdict: solved }),
      [{ message: "Twice.", calls: [call("t"), call("t", { i: 2 })] }, { calls: [call("t"), call("t")] }],
      { task: { id: "T" }, run: "r", attempt: 2, seed: 9 },
    );
    expect(shape(trajectory)).toEqual([
      ["user", "o"],
      ["agent", "Twice.", "t", "t", "o", "o"],
      ["agent", "", "t", "t", "o", "Error: not carried out, the episode had ended"],
    ]);
    expect(outcome).toMatchObject({ success: true, score: 1, exit_status: "terminated" });
    expect(outcome.metadata).toMatchObject({ reward: 2.5, terminated: true, truncated: false });
    expect(statistics).toMatchObject({ turns: 2, steps: 3, calls: 4, errors: 0, reward: 2.5 });
    expect(failure).toBeUndefined();
    expect(trajectory?.extra.gymline).toMatchObject({
      domain: "generic",
      session: "r/T/2/9",
      metadata: { env: "test/plain-v1", run: "r", attempt: 2, seed: 9 },
    });
  });

  it("shows the agent results with their call ids, and errors as errors", async () => {
    const seen: unknown[] = [];
    await episode(
      plainEnv({ endsAt: 3 }),
      ({ turn, observations }) => {
        seen.push(observations);
        if (turn === 1) return { calls: [call("t")] };
        return {
          calls: [
            { id: "a", ...call("t") },
            { id: "b", ...call("nope") },
            { id: "c", tool: "t", params: {}, rawArguments: "{oops" },
          ],
        };
      },
      { limits: { maxTurns: 2 } },
    );
    expect(seen).toEqual([
      [{ kind: "user", text: "o" }],
      [
        { kind: "result", callId: "a", tool: "t", text: "o", isError: false },
        {
          kind: "result",
          callId: "b",
          tool: "nope",
          text: 'Error: there is no tool "nope"; the tools are t',
          isError: true,
        },
        {
          kind: "result",
          callId: "c",
          tool: "t",
          text: "Error: the arguments of t are no JSON object; write them anew",
          isError: true,
        },
      ],
    ]);
  });

  it("keeps tokens, usage, costs, reasoning and arguments as the model wrote them", async () => {
    const usage = { input: 10, cacheRead: 5, cacheWrite: 2, output: 4 };
    const tokens = { promptIds: [1, 2], completionIds: [3, 4], logprobs: [-0.5, -0.25] };
    const agent = {
      ...scriptedAgent([
        {
          message: "m",
          reasoning: "because",
          usage,
          costUsd: 0.25,
          tokens,
          calls: [{ tool: "t", params: {}, rawArguments: "{oops" }, call("t")],
        },
      ]),
      name: "vllm",
      model: "policy-7b",
    };
    const { trajectory, statistics } = await episode(plainEnv({ endsAt: 1 }), [], { agent });
    const step = trajectory?.steps[1];
    expect(step).toMatchObject({
      model_name: "policy-7b",
      reasoning_content: "because",
      llm_call_count: 1,
      metrics: {
        prompt_tokens: 17,
        completion_tokens: 4,
        cached_tokens: 5,
        cost_usd: 0.25,
        prompt_token_ids: [1, 2],
        completion_token_ids: [3, 4],
        logprobs: [-0.5, -0.25],
      },
    });
    expect(step?.tool_calls?.[0]?.extra?.gymline?.raw_arguments).toBe("{oops");
    expect(trajectory?.final_metrics).toMatchObject({ total_prompt_tokens: 17, total_cost_usd: 0.25 });
    expect(trajectory?.extra.gymline.fidelity.tokens).toBe("token_exact");
    expect(statistics).toMatchObject({ usage, costUsd: 0.25, errors: 1 });
  });

  it("takes an answer without calls as said to the user, who answers", async () => {
    const task = {
      id: "hours",
      description: "When do you open?",
      conversation: {
        user: { kind: "script", replies: [{ text: "And on Sundays?" }, { text: "Thanks.", ends: true }] },
        criteria: [{ kind: "message", which: "any", text: { contains: "nine" } }],
      },
    };
    const seen: unknown[] = [];
    const { trajectory, outcome } = await episode(
      makeEnv("gymline/conversation"),
      ({ turn, observations }) => {
        seen.push(observations);
        return { message: turn === 0 ? "At nine." : "Closed." };
      },
      { task },
    );
    expect(shape(trajectory)).toEqual([
      ["user", "When do you open?"],
      ["agent", "At nine."],
      ["user", "And on Sundays?"],
      ["agent", "Closed."],
      ["user", "Thanks."],
    ]);
    expect(seen[1]).toEqual([{ kind: "user", text: "And on Sundays?" }]);
    expect(outcome).toMatchObject({ success: true, label_source: "environment" });
    expect(trajectory?.steps[3]?.extra?.gymline?.native).toEqual({ reward: 1 });
    expect(JSON.stringify(trajectory)).not.toContain("criteria");
  });

  it("nudges an agent that calls nothing where nobody answers, and cuts it off when that does not help", async () => {
    const { trajectory, outcome } = await episode(
      plainEnv({ verdict: { success: false, score: 0 } }),
      () => ({ message: "Hm." }),
      {
        limits: { maxNudges: 2 },
      },
    );
    const nudge = "You called no tool, so nothing happened. Go on with one of these: t.";
    expect(shape(trajectory)).toEqual([
      ["user", "o"],
      ["agent", "Hm."],
      ["user", nudge],
      ["agent", "Hm."],
      ["user", nudge],
      ["agent", "Hm."],
    ]);
    expect(outcome).toMatchObject({ success: false, exit_status: "no_call", metadata: { truncated: true } });
    expect(trajectory?.steps[2]?.extra?.gymline?.native).toEqual({ by: "gymline" });
    const ended = await episode(plainEnv(), [{ message: "I am done." }], { textTurns: "end" });
    expect(ended.outcome).toMatchObject({ success: null, exit_status: "no_call" });
    expect(ended.statistics.turns).toBe(1);
  });

  it("ends at its limits, and the attempt is judged as it stands", async () => {
    const usage = { input: 0, cacheRead: 0, cacheWrite: 0, output: 40 };
    const limited = async (limits: EpisodeRequest["limits"]) =>
      await episode(plainEnv({ verdict: solved }), () => ({ calls: [call("t")], usage, costUsd: 0.5 }), {
        ...(limits === undefined ? {} : { limits }),
      });
    const turns = await limited({ maxTurns: 3 });
    expect([turns.outcome.exit_status, turns.statistics.turns]).toEqual(["max_turns", 3]);
    const tokens = await limited({ maxOutputTokens: 80 });
    expect([tokens.outcome.exit_status, tokens.statistics.turns]).toEqual(["max_tokens", 2]);
    const cost = await limited({ maxCostUsd: 2 });
    expect([cost.outcome.exit_status, cost.statistics.turns]).toEqual(["max_cost", 4]);
    expect(cost.outcome).toMatchObject({ success: true, metadata: { reward: 1, truncated: true } });
  });

  it("keeps what there is when the agent fails; only one that had its attempt is judged", async () => {
    for (const [reason, success] of [
      ["provider", null],
      ["budget", true],
      ["context", true],
    ] as const) {
      const { trajectory, outcome, failure } = await episode(plainEnv({ verdict: solved }), ({ turn }) => {
        if (turn === 1) throw new AgentError("cannot go on", { reason });
        return { calls: [call("t")] };
      });
      expect(failure).toEqual({ kind: "agent", reason, message: "cannot go on" });
      expect(outcome).toMatchObject({ success, exit_status: `agent_error:${reason}` });
      expect(trajectory?.steps).toHaveLength(2);
      expect(outcome.metadata?.["failure"]).toEqual(failure);
    }
    const odd = await episode(plainEnv(), () => {
      throw new TypeError("x is undefined");
    });
    expect(odd.failure).toEqual({ kind: "agent", reason: "unexpected", message: "x is undefined" });
    expect(odd.trajectory?.steps).toHaveLength(1);
  });

  it("keeps what there is when the environment fails", async () => {
    let steps = 0;
    const env = plainEnv({
      during: () => {
        steps += 1;
        if (steps === 2) throw new EnvFaultError("the container is gone", { transient: false });
      },
      verdict: solved,
    });
    const { trajectory, outcome, failure } = await episode(env, [
      { calls: [call("t"), call("t"), call("t")] },
    ]);
    expect(failure).toEqual({
      kind: "environment",
      during: "step",
      error: "EnvFaultError",
      message: "the container is gone",
    });
    expect(outcome).toMatchObject({ success: null, exit_status: "env_error:step" });
    const refused = "Error: not carried out, the environment failed";
    expect(shape(trajectory)).toEqual([
      ["user", "o"],
      ["agent", "", "t", "t", "t", "o", refused, refused],
    ]);
    const closed = plainEnv();
    await closed.close();
    const none = await episode(closed, []);
    expect(none.trajectory).toBeNull();
    expect(none.failure).toMatchObject({ kind: "environment", during: "reset", error: "ProtocolError" });
  });

  it("ends at once when it is aborted, in a step as in an answer", async () => {
    const controller = new AbortController();
    const hanging = plainEnv({
      during: () => {
        queueMicrotask(() => controller.abort(new Error("shutting down")));
        return new Promise(() => undefined);
      },
    });
    const inStep = await episode(hanging, [{ calls: [call("t")] }], { signal: controller.signal });
    expect(inStep.failure).toEqual({ kind: "aborted", message: "shutting down" });
    expect(inStep.outcome).toMatchObject({ success: null, exit_status: "aborted" });
    expect(inStep.trajectory?.steps).toHaveLength(2);
    const later = new AbortController();
    const inAnswer = await episode(
      plainEnv(),
      ({ turn }) => {
        if (turn === 1) later.abort(new Error("enough"));
        return { calls: [call("t")] };
      },
      { signal: later.signal },
    );
    expect(inAnswer.failure).toEqual({ kind: "aborted", message: "enough" });
  });

  it("begins each episode with an empty history", async () => {
    const lengths: number[] = [];
    const agent = scriptedAgent(({ observations, turn }) => {
      if (turn === 0) lengths.push(observations.length);
      return { calls: [call("t")] };
    });
    for (let round = 0; round < 3; round += 1) {
      await runEpisode({ env: plainEnv({ endsAt: 2 }), agent, clock: new ManualTime() });
    }
    expect(lengths).toEqual([1, 1, 1]);
  });
});
