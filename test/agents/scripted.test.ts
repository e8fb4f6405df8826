import { describe, expect, it } from "vitest";
import { AgentError } from "../../shared/agents/agent.ts";
import { scriptedAgent } from "../../shared/agents/scripted.ts";

const start = { tools: [], seed: 0 };

describe("a scripted agent", () => {
  it("gives its turns in order, from the start in each episode, and says when they are over", async () => {
    const agent = scriptedAgent([
      {
        message: "a",
        calls: [
          { tool: "t", params: {} },
          { id: "mine", tool: "t", params: {} },
        ],
      },
      { message: "b" },
    ]);
    for (let round = 0; round < 2; round += 1) {
      const episode = agent.begin(start);
      const first = await episode.act([]);
      expect(first).toEqual({
        message: "a",
        calls: [
          { id: "call_0_1", tool: "t", params: {} },
          { id: "mine", tool: "t", params: {} },
        ],
        stop: "calls",
      });
      expect(await episode.act([])).toEqual({ message: "b", calls: [], stop: "end" });
      const error = await episode.act([]).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(AgentError);
      expect(error).toMatchObject({ reason: "output", message: "the script has ended after 2 turns" });
    }
  });

  it("may answer what it sees", async () => {
    const agent = scriptedAgent(({ turn, observations, episode }) =>
      observations.length === 0 ? undefined : { message: `${turn} ${observations[0]?.text} ${episode.seed}` },
    );
    const episode = agent.begin({ ...start, seed: 5, instructions: "Be brief." });
    expect(episode.systemPrompt).toBe("Be brief.");
    expect((await episode.act([{ kind: "user", text: "hi" }])).message).toBe("0 hi 5");
    await expect(episode.act([])).rejects.toThrow(AgentError);
  });

  it("heeds an abort", async () => {
    const episode = scriptedAgent([{ message: "a" }]).begin(start);
    await expect(episode.act([], AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  });
});
