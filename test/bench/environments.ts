import { scriptedAgent } from "../../shared/agents/scripted.ts";
import { makeEnv } from "../../shared/env/envs.ts";
import type { AgentEnv } from "../../shared/env/protocol.ts";
import { runEpisode } from "../../shared/env/rollout/run-episode.ts";
import { systemClock } from "../../shared/library.ts";
import type { Figure } from "./figure.ts";
import { median } from "./median.ts";

const TURNS = 19;
const think = { tool: "think", params: { thought: "The order is paid, so it can be refunded." } };
const respond = { tool: "respond", params: { message: "Your money is on its way." } };
const task = {
  id: "bench",
  description: "I want my money back.",
  conversation: {
    criteria: [
      { kind: "called", tool: "think" },
      { kind: "message", text: { contains: "money" } },
    ],
  },
};

/** Steps a second of whole episodes: reset, twenty steps, the judge. */
async function stepsPerSecond(env: AgentEnv, episodes: number): Promise<number> {
  const from = performance.now();
  for (let seed = 0; seed < episodes; seed += 1) {
    await env.reset({ task, seed });
    for (let turn = 0; turn < TURNS; turn += 1) await env.step(think);
    await env.step(respond);
  }
  return (episodes * (TURNS + 1) * 1000) / (performance.now() - from);
}

/** The same with an agent that acts, and the record of it. */
async function episodesPerSecond(env: AgentEnv, episodes: number): Promise<number> {
  const agent = scriptedAgent(({ turn }) => ({ calls: [turn < TURNS ? think : respond] }));
  const from = performance.now();
  for (let seed = 0; seed < episodes; seed += 1) {
    await runEpisode({ env, agent, task, seed, run: "bench", attempt: seed, clock: systemClock });
  }
  return (episodes * 1000) / (performance.now() - from);
}

export async function benchEnvironments(): Promise<readonly Figure[]> {
  const bare = makeEnv("gymline/conversation", { wrappers: [] });
  const wrapped = makeEnv("gymline/conversation");
  const rounds: { readonly bare: number; readonly wrapped: number; readonly recorded: number }[] = [];
  for (let round = 0; round < 8; round += 1) {
    rounds.push({
      bare: await stepsPerSecond(bare, 200),
      wrapped: await stepsPerSecond(wrapped, 200),
      recorded: await episodesPerSecond(wrapped, 100),
    });
  }
  const warm = rounds.slice(1);
  return [
    { name: "conversation: bare", value: median(warm.map((round) => round.bare)), unit: "steps/s" },
    { name: "conversation: wrapped", value: median(warm.map((round) => round.wrapped)), unit: "steps/s" },
    {
      name: "conversation: played and recorded",
      value: median(warm.map((round) => round.recorded)),
      unit: "episodes/s of 20 steps",
    },
  ];
}
