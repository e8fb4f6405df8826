import { sampleParams } from "../env/check/sample-params.ts";
import { createRandom } from "../statistics/random.ts";
import type { Agent } from "./agent.ts";
import { AgentError } from "./agent.ts";
import { SYSTEM_PROMPT } from "./chat-agent.ts";

/**
 * An agent that knows nothing: each turn it calls one tool, drawn evenly from those there are, with params drawn from
 * the tool's schema. Its success is what chance achieves, and its successes are logs to begin training from. The
 * episode's seed decides every draw. The record has the prompt that a chat model would be given, so that what is learnt
 * from it holds for one.
 */
export function randomAgent({ system = SYSTEM_PROMPT }: { readonly system?: string } = {}): Agent {
  return {
    name: "random",
    version: "1",
    model: null,
    begin: ({ tools, seed, instructions }) => {
      const random = createRandom(seed);
      let turn = 0;
      const told = [system, instructions ?? ""].filter((text) => text.trim() !== "").join("\n\n");
      return {
        systemPrompt: told === "" ? null : told,
        act: async (_, signal) => {
          signal?.throwIfAborted();
          const tool = tools[random.int(Math.max(1, tools.length))];
          if (tool === undefined) throw new AgentError("there is no tool to call", { reason: "output" });
          turn += 1;
          const call = { id: `call_${turn}`, tool: tool.name, params: sampleParams(tool, random) };
          return { message: "", calls: [call], stop: "calls" };
        },
      };
    },
  };
}
