import type { Step } from "../../trajectory/schema.ts";
import { originOf, type Rendering, row, type Source } from "./rendering.ts";
import type { Row } from "./write-row.ts";

/** One attempt; what its group says is put before it once the group is known. */
export function grpoAttemptRow(source: Source): Rendering {
  const { turns, sft, trajectory } = source;
  const steps = trajectory.steps.filter((step) => step.source === "agent" && step.is_copied_context !== true);
  return row({
    messages: sft.messages,
    tools: sft.tools,
    weights: sft.weights,
    step_rewards: sft.step_rewards,
    ...tokenColumns(turns.map(({ agentStep }) => (agentStep === null ? undefined : steps[agentStep]))),
    ...originOf(source),
  });
}

/** Token ids and log-probs of each message, where the log has them. */
function tokenColumns(steps: readonly (Step | undefined)[]): Row {
  return {
    prompt_token_ids: steps.map((step) => step?.metrics?.prompt_token_ids ?? null),
    completion_token_ids: steps.map((step) => step?.metrics?.completion_token_ids ?? null),
    logprobs: steps.map((step) => step?.metrics?.logprobs ?? null),
  };
}

export interface GroupFacts {
  readonly group: string;
  readonly rewards: readonly number[];
}

/** The columns that a group's attempts share, as the beginning of a line of JSON. */
export function groupColumns({ group, rewards }: GroupFacts): Row {
  const n = rewards.length;
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / n;
  const squares = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0);
  return {
    group,
    group_size: n,
    group_mean: mean,
    group_std: n < 2 ? null : Math.sqrt(squares / (n - 1)),
  };
}
