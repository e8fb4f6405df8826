import { HarnessError } from "../agents/harness/harness-bridge.ts";
import type { AgentEnv } from "../env/protocol.ts";
import type { Sandboxes } from "../ports/sandbox.ts";
import type { HarnessPlace } from "./harness-runner.ts";

/**
 * The sandbox of `gymline/sandbox` as the place where a harness works: the environment puts the task in and judges what
 * became of it; between the two the harness has the sandbox to itself.
 */
export function sandboxPlace(env: AgentEnv, sandboxes: Sandboxes): HarnessPlace {
  return {
    prepare: async ({ task, seed }, signal) => {
      const first = await env.reset({ task, seed, ...(signal === undefined ? {} : { signal }) });
      const id = first.info["sandboxId"];
      if (typeof id !== "string") {
        throw new HarnessError(
          `A harness needs an environment with a sandbox, such as gymline/sandbox; ${env.id} has none`,
        );
      }
      return sandboxes.open(id);
    },
    verdict: async (signal) => (await env.verdict?.(signal)) ?? { success: null, score: null },
    close: () => env.close(),
  };
}
