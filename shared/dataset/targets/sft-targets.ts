import { type Column, list, struct } from "./column-type.ts";
import {
  MESSAGES,
  messagesWith,
  ONE_SYSTEM,
  ORIGIN,
  REWARD,
  STEP_REWARDS,
  SUCCESS,
  TEMPLATE_MESSAGES,
  TEMPLATE_NOTES,
  TEMPLATE_TOOLS,
  TOOL_CALLS,
  TOOLS,
  WEIGHTS,
} from "./message-type.ts";
import { SOURCES } from "./sources.ts";
import { ALONE, type Target } from "./target.ts";

const native: Column = {
  name: "messages",
  type: TEMPLATE_MESSAGES,
  meaning:
    "chat messages with `tool_calls` (arguments are objects), `tool` results and their ids, and `reasoning_content`",
};

const sharegptMessages = list(struct({ from: "string", value: "string" }));

/** Every assistant turn is learnt in these formats; none of them can leave a single one out. */
const ALL_LEARNT = "all assistant messages are learnt: a trajectory that masks one of them is left out";

export const SFT_TARGETS = {
  trl: {
    kind: "sft",
    unit: "trajectory",
    trainer: "TRL SFTTrainer",
    use: "whole conversations with their tools",
    format: "sft-messages",
    files: "jsonl",
    columns: [native, TEMPLATE_TOOLS, WEIGHTS, SUCCESS, ...ORIGIN, STEP_REWARDS, REWARD],
    notes: [
      ...TEMPLATE_NOTES,
      "set `assistant_only_loss=True`; TRL does not read `weights`, which also leaves out single messages",
    ],
    source: [SOURCES.trl],
  },
  "trl-prompt-completion": {
    kind: "sft",
    unit: "trajectory",
    trainer: "TRL SFTTrainer",
    use: "what came before the agent's first own message, and everything from there on",
    format: "trl-prompt-completion",
    files: "jsonl",
    columns: [
      { name: "prompt", type: TEMPLATE_MESSAGES, meaning: "messages up to the first that is learnt" },
      { name: "completion", type: TEMPLATE_MESSAGES, meaning: "the agent's messages and the results it got" },
      TEMPLATE_TOOLS,
      REWARD,
      SUCCESS,
      ...ORIGIN,
    ],
    notes: [
      ...TEMPLATE_NOTES,
      "all that follows the prompt is learnt: a trajectory that masks an assistant message there is left out",
      "the loss of TRL covers the whole completion, results of tools included, unless `assistant_only_loss=True`",
    ],
    source: [SOURCES.trl],
  },
  "prime-rl": {
    kind: "sft",
    unit: "trajectory",
    trainer: "prime-rl SFT",
    use: "whole conversations with their tools",
    format: "prime-rl-sft",
    files: "jsonl",
    columns: [
      {
        name: "messages",
        type: MESSAGES,
        meaning: "chat messages; arguments are JSON text, which prime-rl parses, as it drops nulls",
      },
      TOOLS,
      REWARD,
      SUCCESS,
      ...ORIGIN,
    ],
    notes: [
      "`data.name` is the dataset's folder",
      ALL_LEARNT,
      ONE_SYSTEM,
      "a trajectory with a call whose arguments are no JSON object is left out: prime-rl would stop there",
    ],
    source: [SOURCES.primeRl],
  },
  verl: {
    kind: "sft",
    unit: "trajectory",
    trainer: "verl multi-turn SFT",
    use: "whole conversations with their tools",
    format: "verl-sft",
    files: "parquet",
    columns: [
      {
        name: "messages",
        type: messagesWith({ trainable: "bool" }),
        meaning: "chat messages; an assistant message whose `trainable` is false is not learnt",
      },
      TOOLS,
      REWARD,
      SUCCESS,
      ...ORIGIN,
    ],
    beside: [
      {
        name: "gymline_verl.py",
        meaning:
          "`GymlineSFTDataset`, verl's multi-turn dataset that reads `tools` and arguments from JSON text and heeds `trainable`: `data.custom_cls.path=<this file> data.custom_cls.name=GymlineSFTDataset`",
      },
    ],
    notes: [
      "verl hands the column `tools` to the chat template as it is, and a column of objects would give each tool the parameters of all others, as nulls, and arguments as text would be quoted once more; hence the class beside the data",
      ONE_SYSTEM,
      "verl itself learns every assistant message; the class leaves those out whose `trainable` is false",
    ],
    source: [SOURCES.verlSft],
  },
  "llama-factory": {
    kind: "sft",
    unit: "trajectory",
    trainer: "LLaMA-Factory",
    use: "sharegpt conversations with function calls",
    format: "llama-factory-sharegpt",
    files: "parquet",
    columns: [
      {
        name: "conversations",
        type: sharegptMessages,
        meaning:
          "turns in strict alternation: `human` or `observation`, then `gpt` or `function_call` (JSON text of the calls, after text in think tags)",
      },
      {
        name: "system",
        type: "string",
        meaning: "system and developer messages that came first, else empty",
      },
      TOOLS,
      REWARD,
      SUCCESS,
      ...ORIGIN,
    ],
    beside: [{ name: "dataset_info.json", meaning: "names the files, the columns and the roles" }],
    notes: [
      ALONE,
      ALL_LEARNT,
      "text beside calls goes into think tags, where LLaMA-Factory's function formatter looks for it",
      "results of parallel calls become one observation, joined as LLaMA-Factory joins those of OpenAI's format",
      "observations after the last action are left out: turns come in pairs",
    ],
    source: [SOURCES.llamaFactory],
  },
  "ms-swift": {
    kind: "sft",
    unit: "trajectory",
    trainer: "ms-swift",
    use: "agent conversations, each message of the agent with its own `loss`",
    format: "ms-swift-messages",
    files: "parquet",
    columns: [
      {
        name: "messages",
        type: list(struct({ role: "string", content: "string", loss: "bool" })),
        meaning:
          "roles `system`, `user`, `assistant`, `tool_call` (JSON text of name and arguments) and `tool_response`; `loss` on what the agent wrote",
      },
      TOOLS,
      REWARD,
      SUCCESS,
      ...ORIGIN,
    ],
    notes: [ALONE, "reasoning stands before the message in think tags"],
    source: [SOURCES.msSwift, SOURCES.msSwiftAgent],
  },
  openai: {
    kind: "sft",
    unit: "trajectory",
    trainer: "OpenAI supervised fine-tuning",
    use: "chat examples with tools; `weight` 0 or 1 on assistant messages",
    format: "openai-chat",
    files: "jsonl",
    columns: [
      {
        name: "messages",
        type: list(
          struct({
            role: "string",
            content: "string",
            tool_calls: TOOL_CALLS,
            tool_call_id: "string",
            weight: "int64",
          }),
        ),
        meaning: "chat messages that end with the assistant's; `weight` 0: not learnt",
      },
      {
        name: "tools",
        type: { list: "json" },
        meaning: "tool definitions; absent where the log has none",
        optional: true,
      },
      {
        name: "parallel_tool_calls",
        type: "bool",
        meaning: "whether a message makes several calls; absent without tools",
        optional: true,
      },
    ],
    notes: [
      "the service takes no further columns, so rows carry no ids and no `tokens`; `gymline trace` still knows which versions hold a trajectory",
      "reasoning is not part of this format and is left out",
    ],
    source: [SOURCES.openai],
  },
  atif: {
    kind: "sft",
    unit: "trajectory",
    trainer: "anything that reads ATIF v1.8",
    use: "the stored trajectories themselves, one document a line, with token ids and log-probs where there are any",
    format: "atif",
    files: "jsonl",
    columns: [
      { name: "schema_version", type: "string", meaning: "`ATIF-v1.8`" },
      { name: "session_id", type: "string", meaning: "the source's name of the session", optional: true },
      {
        name: "trajectory_id",
        type: "string",
        meaning: "the source's name of the trajectory",
        optional: true,
      },
      { name: "agent", type: "json", meaning: "name, version, model, tool definitions" },
      { name: "steps", type: { list: "json" }, meaning: "steps with calls, observations and metrics" },
      { name: "notes", type: "string", meaning: "remarks of the source", optional: true },
      { name: "final_metrics", type: "json", meaning: "totals of the run", optional: true },
      { name: "continued_trajectory_ref", type: "string", meaning: "where the run goes on", optional: true },
      {
        name: "extra",
        type: "json",
        meaning: "under `gymline`: ids, task, outcome, redaction, and `fidelity.tokens`",
      },
      {
        name: "subagent_trajectories",
        type: { list: "json" },
        meaning: "trajectories of sub-agents",
        optional: true,
      },
    ],
    notes: ["images are named, not included: their files stay in the store"],
    source: [SOURCES.harbor],
  },
} as const satisfies Readonly<Record<string, Target>>;
