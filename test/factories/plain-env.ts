import { z } from "zod";
import { defineEnv, defineTool } from "../../shared/env/define-env.ts";
import type { AgentEnv, StepInfo, Verdict } from "../../shared/env/protocol.ts";

export interface PlainFacts {
  /** Ends with this step, from 1. */
  readonly endsAt?: number;
  /** Cut off by itself at this step. */
  readonly cutAt?: number;
  /** Of each step, from the first; the last goes on. */
  readonly rewards?: readonly number[];
  readonly observation?: string;
  readonly verdict?: Verdict;
  readonly info?: StepInfo;
  /** Runs in each step. */
  readonly during?: (signal: AbortSignal | undefined) => unknown;
  readonly onEnd?: () => void;
}

export const TOOL = { tool: "t", params: { i: 1 } } as const;

/** An environment with one tool, `t`, that answers "o" and counts its calls as exit codes. */
export function plainEnv(facts: PlainFacts = {}): AgentEnv {
  const { endsAt, cutAt, rewards = [0], observation = "o", verdict, info, during, onEnd } = facts;
  return defineEnv<{ steps: number }>({
    id: "test/plain-v1",
    domain: "generic",
    tools: [
      defineTool({
        name: "t",
        description: "Does nothing.",
        params: z.object({ i: z.int().optional() }),
        run: async (_, { state, signal }) => {
          await during?.(signal);
          state.steps += 1;
          return {
            output: observation,
            exitCode: state.steps,
            reward: rewards[Math.min(state.steps, rewards.length) - 1] ?? 0,
            terminated: state.steps === endsAt,
            ...(info === undefined ? {} : { info }),
          };
        },
      }),
    ],
    ...(cutAt === undefined ? {} : { maxSteps: cutAt }),
    begin: () => ({ state: { steps: 0 }, observation }),
    ...(verdict === undefined ? {} : { judge: () => verdict }),
    ...(onEnd === undefined ? {} : { end: onEnd }),
  });
}
