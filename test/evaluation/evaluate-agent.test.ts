import { describe, expect, it } from "vitest";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { type Agent, AgentError } from "../../shared/agents/agent.ts";
import { scriptedAgent } from "../../shared/agents/scripted.ts";
import { MemoryLedger } from "../../shared/collect/memory-ledger.ts";
import { conversationEnv } from "../../shared/env/conversation/conversation-env.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { compareAgents } from "../../shared/evaluation/compare-agents.ts";
import { evaluateAgent } from "../../shared/evaluation/evaluate-agent.ts";
import { evaluationOf } from "../../shared/evaluation/evaluation-of.ts";

const env = () => conversationEnv({ id: "gymline/conversation-v1", domain: "conversation" });

const TASKS: readonly EnvTask[] = Array.from({ length: 8 }, (_, index) => ({
  id: `order-${index}`,
  description: `Where is order ${index}?`,
  conversation: {
    answers: [{ tool: "query_stats", output: `shipped on day ${index}` }],
    criteria: [
      { kind: "called", tool: "query_stats" },
      { kind: "not_called", tool: "web_search" },
      { kind: "message", text: { contains: `day ${index}` } },
    ],
  },
}));

/** Looks the order up and says what it found. */
const solver = scriptedAgent(
  ({ turn, observations }) => {
    if (turn === 0) return { calls: [{ tool: "query_stats", params: { query: "order" } }], costUsd: 0.02 };
    return { message: `It was ${observations[0]?.text ?? ""}`, costUsd: 0.01 };
  },
  { name: "solver" },
);

/** Searches where it must not, and gives up. */
const failer = scriptedAgent(
  [{ calls: [{ tool: "web_search", params: { query: "order" } }], costUsd: 0.05 }, { message: "No idea." }],
  { name: "failer" },
);

/** A provider that is down for every second episode. */
function unreliable(): Agent {
  let begun = 0;
  return {
    ...solver,
    name: "unreliable",
    begin: (start) => {
      begun += 1;
      if (begun % 2 === 0) throw new AgentError("the provider is down", { reason: "provider" });
      return solver.begin(start);
    },
  };
}

const ports = { clock: systemClock };
const run = { env, tasks: TASKS, attempts: 2, seed: 7 } as const;

describe("evaluating agents in a conversation", () => {
  it("finds the one that solves better than the one that fails, and counts costs, turns and violations", async () => {
    const good = await evaluateAgent({ ...run, agent: solver, parallel: 3 }, ports);
    const bad = await evaluateAgent({ ...run, agent: failer }, ports);
    expect(good.ended).toBe("done");
    expect(good.agent.episodes).toHaveLength(16);
    expect(good.agent.episodes[0]).toMatchObject({ success: true, return: 1, steps: 2, violations: 0 });
    expect(good.agent.episodes[0]?.cost_usd).toBeCloseTo(0.03, 12);
    expect(bad.agent.episodes[0]).toMatchObject({ success: false, return: 0, violations: 1 });
    const { comparisons, problems } = compareAgents([good.agent, bad.agent]);
    expect(problems).toEqual([]);
    for (const metric of ["success", "return", "violations", "cost_usd"]) {
      expect(comparisons.find((each) => each.metric === metric)).toMatchObject({ better: "solver" });
    }
  });

  it("gives every agent the same tasks and seeds, whatever the order of the tasks", async () => {
    const one = await evaluateAgent({ ...run, agent: solver }, ports);
    const other = await evaluateAgent({ ...run, tasks: TASKS.toReversed(), agent: failer }, ports);
    const seeds = ({ agent }: typeof one) =>
      Object.fromEntries(agent.episodes.map(({ task, attempt, seed }) => [`${task} ${attempt}`, seed]));
    expect(seeds(other)).toEqual(seeds(one));
    expect(new Set(Object.values(seeds(one))).size).toBe(16);
    expect(other.tasksHash).not.toBe(one.tasksHash);
  });

  it("goes on where another start stopped, and asks nothing twice", async () => {
    const ledger = new MemoryLedger();
    let begun = 0;
    const stop = new AbortController();
    const counting: Agent = {
      ...solver,
      begin: (start) => {
        begun += 1;
        if (begun === 5) stop.abort(new Error("stopped"));
        return solver.begin(start);
      },
    };
    const first = await evaluateAgent({ ...run, agent: counting }, { ...ports, ledger, signal: stop.signal });
    expect(first.ended).toBe("stopped");
    expect(first.missing).toHaveLength(12);
    const second = await evaluateAgent({ ...run, agent: counting }, { ...ports, ledger });
    expect([second.ended, second.agent.episodes.length, begun]).toEqual(["done", 16, 17]);
    const whole = await evaluateAgent({ ...run, agent: solver }, ports);
    const timeless = ({ agent }: typeof whole) => agent.episodes.map(({ seconds: _, ...rest }) => rest);
    expect(timeless(second)).toEqual(timeless(whole));
  });

  it("counts failed episodes apart, and calls the evaluation invalid above the threshold", async () => {
    const good = await evaluateAgent({ ...run, agent: solver }, ports);
    const half = await evaluateAgent({ ...run, agent: unreliable(), maxFailuresInRow: 0 }, ports);
    const subject = {
      ...{ env: { id: "gymline/conversation-v1", options: {} }, attempts: 2, seed: 7 },
      ...{ tasksHash: good.tasksHash, planned: good.planned },
    };
    const { document } = evaluationOf(subject, { agents: [good.agent, half.agent] });
    expect(document.valid).toBe(false);
    expect(document.problems.map(({ code, severity, count, of }) => [code, severity, count, of])).toEqual([
      ["failed_episodes", "note", 8, 16],
      ["too_many_failed", "invalid", 8, 16],
    ]);
    expect(document.figures[1]?.episodes).toEqual({ planned: 16, done: 8, failed: 8, missing: 0 });
    expect(document.comparisons.find(({ metric }) => metric === "success")).toMatchObject({ pairs: 8 });
    const lenient = evaluationOf(subject, {
      agents: [good.agent, half.agent],
      settings: { maxFailedShare: 0.5 },
    });
    expect(lenient.document.valid).toBe(true);
  });
});
