import { list, struct } from "./column-type.ts";
import type { Target } from "./target.ts";

const sftMetadata = struct({ agent_framework: "string", agent_model: "string", total_steps: "int64" });
const FLAT = "conversations are flattened to text; use another target for training";

/** Rows as knowlyr-gym's exporter writes them, for programs that read those. */
export const KNOWLYR_TARGETS = {
  "knowlyr-sft": {
    kind: "sft",
    unit: "trajectory",
    trainer: "knowlyr-gym (compatible)",
    use: "instruction, input and response",
    format: "knowlyr-sft",
    files: "jsonl",
    columns: [
      { name: "instruction", type: "string", meaning: "the task's description, else its id in a sentence" },
      { name: "input", type: "string", meaning: "JSON text of repository, commit and test command" },
      { name: "response", type: "string", meaning: "the steps as text" },
      { name: "task_id", type: "string", meaning: "the task id, or empty" },
      { name: "reward", type: "float64", meaning: "total reward" },
      { name: "metadata", type: sftMetadata, meaning: "agent, model and number of steps" },
    ],
    notes: [FLAT],
    source: [],
  },
  "knowlyr-dpo": {
    kind: "dpo",
    unit: "pair",
    trainer: "knowlyr-gym (compatible)",
    use: "prompt, chosen and rejected as text",
    format: "knowlyr-dpo",
    files: "jsonl",
    columns: [
      { name: "prompt", type: "string", meaning: "the task's description, else its id in a sentence" },
      { name: "chosen", type: "string", meaning: "the better attempt's steps as text" },
      { name: "rejected", type: "string", meaning: "the worse attempt's steps as text" },
      { name: "task_id", type: "string", meaning: "the task id, or empty" },
      { name: "reward_margin", type: "float64", meaning: "difference of the rewards" },
      {
        name: "metadata",
        type: struct({
          chosen_model: "string",
          rejected_model: "string",
          chosen_reward: "float64",
          rejected_reward: "float64",
        }),
        meaning: "models and rewards of both",
      },
    ],
    notes: [FLAT],
    source: [],
  },
  "knowlyr-grpo": {
    kind: "grpo",
    unit: "task",
    trainer: "knowlyr-gym (compatible)",
    use: "a task with its attempts as text",
    format: "knowlyr-grpo",
    files: "jsonl",
    columns: [
      { name: "task_id", type: "string", meaning: "the task id" },
      { name: "prompt", type: "string", meaning: "the task's description, else its id in a sentence" },
      {
        name: "trajectories",
        type: list(struct({ response: "string", reward: "float64" })),
        meaning: "the best attempts first, at most `dataset.perTask`, else 8",
      },
    ],
    notes: [FLAT, "the best of a group are kept, so failures are the first to go"],
    source: [],
  },
  "knowlyr-benchmark": {
    kind: "benchmark",
    unit: "task",
    trainer: "knowlyr-gym (compatible)",
    use: "tasks with the rewards that were reached",
    format: "knowlyr-benchmark",
    files: "jsonl",
    columns: [
      { name: "task_id", type: "string", meaning: "the task id, or empty" },
      { name: "description", type: "string", meaning: "the task's description, or empty" },
      { name: "repo", type: "string", meaning: "repository, or empty" },
      { name: "base_commit", type: "string", meaning: "commit, or empty" },
      { name: "test_command", type: "string", meaning: "test command, or empty" },
      {
        name: "reference_trajectories",
        type: list(
          struct({ agent_model: "string", reward: "float64", success: "bool", total_steps: "int64" }),
        ),
        meaning: "the attempts",
      },
      { name: "difficulty", type: "string", meaning: "as the source grades it, else `unknown`" },
      {
        name: "expected_reward_range",
        type: list("float64"),
        meaning: "least and greatest reward, two decimals",
      },
    ],
    notes: [],
    source: [],
  },
} as const satisfies Readonly<Record<string, Target>>;
