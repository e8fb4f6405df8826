import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toolChatOf } from "../../shared/adapters/models/model-of.ts";
import {
  type AgentEpisode,
  AgentError,
  type AgentTurn,
  type Observation,
} from "../../shared/agents/agent.ts";
import { AgentSettingsError, type ChatAgentOptions, chatAgent } from "../../shared/agents/chat-agent.ts";
import { shortened } from "../../shared/agents/shortened.ts";
import type { Script } from "../factories/model-server/asked.ts";
import { modelServer } from "../factories/model-server/model-server.ts";
import { answer, calling, fault, status } from "../factories/model-server/replies.ts";

const TOOLS = [{ name: "look", description: "Looks.", parameters: { type: "object", properties: {} } }];
const START = { tools: TOOLS, instructions: "Mind the gap.", seed: 11 };
const TASK: Observation = { kind: "user", text: "Find it" };

async function agentAt(
  provider: "anthropic" | "openai-compatible",
  script: Script,
  options: ChatAgentOptions = {},
) {
  const server = await modelServer(script);
  const chat = await toolChatOf(
    { provider, model: "claude-haiku-4-5", baseUrl: server.url, maxTries: 2, baseDelayMs: 1 },
    { ANTHROPIC_API_KEY: "k" },
  );
  return { server, agent: chatAgent(chat, options) };
}

function resultsOf(turn: AgentTurn, text = "nothing here"): readonly Observation[] {
  return turn.calls.map(({ id, tool }) => ({ kind: "result", callId: id, tool, text, isError: false }));
}

/** Lets the episode look as long as it does; gives all turns. */
async function playOut(episode: AgentEpisode, text?: string): Promise<readonly AgentTurn[]> {
  const turns: AgentTurn[] = [];
  for (let observations: readonly Observation[] = [TASK]; ; ) {
    const turn = await episode.act(observations);
    turns.push(turn);
    if (turn.calls.length === 0) return turns;
    observations = resultsOf(turn, text);
  }
}

const LOOK = { name: "look", input: {} };
const looking =
  (times: number): Script =>
  ({ turns }) => {
    const before = turns.filter(({ role }) => role === "assistant").length;
    return before < times ? calling(LOOK) : answer("found");
  };

describe.each(["anthropic", "openai-compatible"] as const)("an agent at %s", (provider) => {
  it("acts until it only speaks, and tells tokens and cost of each turn", async () => {
    const { agent } = await agentAt(provider, looking(2));
    const episode = agent.begin(START);
    const turns = await playOut(episode);
    expect(turns.map(({ stop, calls }) => [stop, calls.map(({ tool }) => tool)])).toEqual([
      ["calls", ["look"]],
      ["calls", ["look"]],
      ["end", []],
    ]);
    expect(turns.at(-1)?.message).toBe("found");
    for (const turn of turns) expect(turn.costUsd).toBeGreaterThan(0);
    expect(agent.model).toBe("claude-haiku-4-5");
    expect(episode.systemPrompt).toContain("Mind the gap.");
  });

  it("begins every episode with an empty history, although others are under way", async () => {
    const { server, agent } = await agentAt(provider, looking(3));
    await Promise.all([playOut(agent.begin(START)), playOut(agent.begin(START))]);
    const before = server.asked.length;
    await playOut(agent.begin(START));
    expect(server.asked[before]?.turns).toHaveLength(1);
    const lengths = server.asked.map(({ turns }) => turns.length);
    expect(Math.max(...lengths)).toBe(7);
  });

  it("answers for calls whose result is missing, so that the provider takes the history", async () => {
    const { server, agent } = await agentAt(provider, ({ nth }) =>
      nth === 0 ? calling(LOOK, LOOK, LOOK) : answer("fine"),
    );
    const episode = agent.begin(START);
    const turn = await episode.act([TASK]);
    const [, second] = resultsOf(turn, "only this");
    expect((await episode.act(second === undefined ? [] : [second])).message).toBe("fine");
    expect(server.asked[1]?.results.map(({ text }) => text)).toEqual([
      "This call was not carried out.",
      "only this",
      "This call was not carried out.",
    ]);
  });

  it.each([
    [{ maxTurns: 2 }, "2 turns"],
    [{ maxTokens: 40 }, "40 tokens"],
    [{ maxUsd: 0.000001 }, "$0.000001"],
  ] as const)("stops at its limit: %o", async (options, words) => {
    const { agent } = await agentAt(provider, looking(1000), options);
    const played = playOut(agent.begin(START));
    await expect(played).rejects.toThrow(AgentError);
    await expect(played).rejects.toMatchObject({ reason: "budget", message: expect.stringContaining(words) });
  });

  it("tries again with the policy of all calls, and then says what the provider said", async () => {
    const { server, agent } = await agentAt(provider, ({ repeats }) =>
      repeats === 0 ? fault("reset") : answer("yes"),
    );
    expect((await agent.begin(START).act([TASK])).message).toBe("yes");
    server.use(() => status(529));
    const failed = agent.begin(START).act([TASK]);
    await expect(failed).rejects.toMatchObject({
      name: "AgentError",
      reason: "provider",
      message: expect.stringMatching(/529.*2 tries/),
    });
  });

  it("ends as its signal says", async () => {
    const { agent } = await agentAt(provider, () => answer("late", { delayMs: 5000 }));
    const stop = new AbortController();
    const acting = agent.begin(START).act([TASK], stop.signal);
    stop.abort(new Error("time is up"));
    await expect(acting).rejects.toThrow("time is up");
  });

  it("shortens long observations in the middle", async () => {
    const { server, agent } = await agentAt(provider, looking(1), { observationCharacters: 100 });
    await playOut(agent.begin(START), `${"a".repeat(500)}${"z".repeat(500)}`);
    expect(server.asked[1]?.results[0]?.text).toMatch(/^a{50}\n\[… 900 characters left out …\]\nz{50}$/);
  });

  it("stops where the provider finds the prompt too long", async () => {
    const { agent } = await agentAt(provider, () => status(400, { message: "maximum context length is 10" }));
    await expect(agent.begin(START).act([TASK])).rejects.toMatchObject({ reason: "context" });
  });

  it("takes out the oldest results until the provider takes the prompt, and says how many", async () => {
    const most = 8000;
    const { server, agent } = await agentAt(
      provider,
      (asked) => {
        const body = JSON.stringify(server.calls.at(-1)?.body);
        return body.length > most ? status(400, { message: "prompt is too long" }) : looking(12)(asked);
      },
      { onOverflow: "forget" },
    );
    const turns = await playOut(agent.begin(START), "r".repeat(2000));
    expect(turns).toHaveLength(13);
    expect(turns[0]?.forgotten).toBeUndefined();
    expect(turns.at(-1)?.forgotten).toBeGreaterThan(5);
    expect(JSON.stringify(server.calls.at(-1)?.body)).toContain("result of 2000 characters was taken out");
    expect(server.asked.at(-1)?.results[0]?.text).toBe("r".repeat(2000));
  });

  it("makes room ahead of the provider where it knows the context", async () => {
    const contextTokens = 2000;
    const limits = { contextTokens, answerTokens: 100 };
    const { server, agent } = await agentAt(provider, looking(20), { ...limits, onOverflow: "forget" });
    const turns = await playOut(agent.begin(START), "r".repeat(600));
    expect(turns).toHaveLength(21);
    for (const { usage } of turns) {
      const { input = 0, cacheRead = 0, cacheWrite = 0 } = usage ?? {};
      expect(input + cacheRead + cacheWrite).toBeLessThan(contextTokens - 100);
    }
    expect(server.calls.every((call) => call.status === 200)).toBe(true);
    const { agent: strict } = await agentAt(provider, looking(20), limits);
    await expect(playOut(strict.begin(START), "r".repeat(600))).rejects.toMatchObject({ reason: "context" });
  });
});

it("sends the episode's seed where the provider takes one", async () => {
  const { server, agent } = await agentAt("openai-compatible", () => answer("x"));
  await agent.begin(START).act([TASK]);
  expect(server.calls[0]?.body).toMatchObject({ seed: 11 });
  const { server: other, agent: without } = await agentAt("openai-compatible", () => answer("x"), {
    sendsSeed: false,
  });
  await without.begin(START).act([TASK]);
  expect(other.calls[0]?.body).not.toHaveProperty("seed");
});

it("will not promise to keep a limit on costs that it cannot know", async () => {
  const chat = await toolChatOf(
    { provider: "openai-compatible", model: "mine", baseUrl: "http://127.0.0.1:9" },
    {},
  );
  expect(() => chatAgent(chat, { maxUsd: 1 })).toThrow(AgentSettingsError);
  const free = { input: 0, cacheWrite: 0, cacheRead: 0, output: 0 };
  expect(() => chatAgent(chat, { maxUsd: 1, prices: { mine: free } })).not.toThrow();
});

describe("a shortened text", () => {
  it("keeps both ends, says exactly what is gone, and splits no character", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 300 }),
        fc.integer({ min: 2, max: 200 }),
        (text, most) => {
          const short = shortened(text, most);
          if (text.length <= most) {
            expect(short).toBe(text);
            return;
          }
          const [, head = "", gone = "", tail = ""] =
            /^([\s\S]*)\n\[… (\d+) characters left out …\]\n([\s\S]*)$/.exec(short) ?? [];
          expect(head.length + Number(gone) + tail.length).toBe(text.length);
          expect(head.length + tail.length).toBeLessThanOrEqual(most);
          expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
          expect(short.isWellFormed()).toBe(text.isWellFormed());
        },
      ),
    );
  });
});
