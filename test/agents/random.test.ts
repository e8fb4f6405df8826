import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { randomAgent } from "../../shared/agents/random.ts";
import { toolDefinition } from "../../shared/env/tool-schema.ts";

const params = {
  a: z.object({ room: z.enum(["x", "y"]), on: z.boolean() }),
  b: z.object({ count: z.int().min(2).max(5), note: z.string().optional() }),
};
const tools = Object.entries(params).map(([name, shape]) =>
  toolDefinition({ name, description: name, params: shape }),
);

async function calls(seed: number, turns = 40) {
  const episode = randomAgent().begin({ tools, seed });
  const made = [];
  for (let turn = 0; turn < turns; turn += 1) made.push(...(await episode.act([])).calls);
  return made;
}

describe("an agent that acts at random", () => {
  it("calls tools that there are, with params that their schemas take", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        for (const { tool, params: given } of await calls(seed)) {
          expect(params[tool as keyof typeof params].safeParse(given).success).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("does the same for the same seed, other things for another, and comes to every tool", async () => {
    expect(await calls(7)).toEqual(await calls(7));
    expect(await calls(7)).not.toEqual(await calls(8));
    expect(new Set((await calls(7)).map(({ tool }) => tool))).toEqual(new Set(["a", "b"]));
  });

  it("has the prompt that a chat model would have, before an environment's own instructions", () => {
    const told = randomAgent().begin({ tools, seed: 1, instructions: "Be quick." }).systemPrompt;
    expect(told).toMatch(/^You work on a task.*\n\nBe quick\.$/s);
    expect(randomAgent({ system: "" }).begin({ tools, seed: 1 }).systemPrompt).toBeNull();
  });

  it("cannot act where there is no tool", async () => {
    await expect(randomAgent().begin({ tools: [], seed: 1 }).act([])).rejects.toThrow("no tool");
  });
});
