import { type Column, type ColumnType, list, struct } from "./column-type.ts";
import {
  ORIGIN,
  REWARD,
  SUCCESS,
  TASK,
  TASK_ID,
  TEMPLATE_MESSAGES,
  TEMPLATE_NOTES,
  TEMPLATE_TOOLS,
  TOKENS,
  TOOL_CALLS,
  TOOLS,
} from "./message-type.ts";
import { SOURCES } from "./sources.ts";
import { ALONE, type Target } from "./target.ts";

/** Where a pair comes from. */
const PAIR_ORIGIN: readonly Column[] = [
  {
    name: "margin",
    type: "float64",
    meaning: "reward of the chosen one minus that of the rejected one",
    extra: true,
  },
  { name: "chosen_reward", type: "float64", meaning: "total reward of the chosen attempt", extra: true },
  { name: "rejected_reward", type: "float64", meaning: "total reward of the rejected attempt", extra: true },
  { name: "preferred_by", type: "string", meaning: "`reward`, `votes` of people or a `judge`", extra: true },
  TASK,
  TASK_ID,
  { name: "chosen_id", type: "string", meaning: "the chosen trajectory", extra: true },
  { name: "rejected_id", type: "string", meaning: "the rejected trajectory", extra: true },
  TOKENS,
];

const sharegptTurn = struct({ from: "string", value: "string" });
const swiftMessages = list(struct({ role: "string", content: "string", loss: "bool" }));

const openaiMessages: ColumnType = list(
  struct({ role: "string", content: "string", tool_calls: TOOL_CALLS, tool_call_id: "string" }),
);

const PARTING = "a prompt ends where the two attempts part: before it, both did and saw the same";
const ONE_MESSAGE =
  "one message on each side: pairs whose attempts part at a result, not at an action, are left out";

export const PREFERENCE_TARGETS = {
  "trl-dpo": {
    kind: "dpo",
    unit: "pair",
    trainer: "TRL DPOTrainer",
    use: "pairs of attempts at a task, better and worse",
    format: "trl-dpo",
    files: "jsonl",
    columns: [
      { name: "prompt", type: TEMPLATE_MESSAGES, meaning: "the messages that both begin with" },
      { name: "chosen", type: TEMPLATE_MESSAGES, meaning: "how the better one went on" },
      { name: "rejected", type: TEMPLATE_MESSAGES, meaning: "how the worse one went on" },
      TEMPLATE_TOOLS,
      ...PAIR_ORIGIN,
    ],
    notes: [
      ...TEMPLATE_NOTES,
      PARTING,
      "TRL counts results of tools in `chosen` and `rejected` as if the model had written them; with `dataset.pairs.unit` `step` a side is one message of the agent",
    ],
    source: [SOURCES.trl],
  },
  "llama-factory-dpo": {
    kind: "dpo",
    unit: "pair",
    trainer: "LLaMA-Factory, stage dpo",
    use: "the step at which two attempts part, ranked",
    format: "llama-factory-ranking",
    files: "parquet",
    columns: [
      { name: "conversations", type: list(sharegptTurn), meaning: "turns before, the environment's last" },
      { name: "chosen", type: sharegptTurn, meaning: "the better turn" },
      { name: "rejected", type: sharegptTurn, meaning: "the worse turn" },
      {
        name: "system",
        type: "string",
        meaning: "system and developer messages that came first, else empty",
      },
      TOOLS,
      ...PAIR_ORIGIN,
    ],
    beside: [{ name: "dataset_info.json", meaning: "names the files, the columns and that they rank" }],
    notes: [ALONE, PARTING, ONE_MESSAGE],
    source: [SOURCES.llamaFactory],
  },
  "ms-swift-dpo": {
    kind: "dpo",
    unit: "pair",
    trainer: "ms-swift, rlhf_type dpo",
    use: "pairs of attempts at a task, better and worse",
    format: "ms-swift-dpo",
    files: "parquet",
    columns: [
      {
        name: "messages",
        type: swiftMessages,
        meaning: "the better conversation; no `loss` on what both share",
      },
      { name: "rejected_messages", type: swiftMessages, meaning: "the worse conversation, likewise" },
      TOOLS,
      { name: "rejected_tools", type: "string", meaning: "the same tools: ms-swift asks for them again" },
      ...PAIR_ORIGIN,
    ],
    notes: [ALONE],
    source: [SOURCES.msSwift],
  },
  "openai-dpo": {
    kind: "dpo",
    unit: "pair",
    trainer: "OpenAI direct preference optimization",
    use: "the step at which two attempts part",
    format: "openai-preference",
    files: "jsonl",
    columns: [
      {
        name: "input",
        type: struct({ messages: openaiMessages, tools: { list: "json" }, parallel_tool_calls: "bool" }),
        meaning: "the messages before, and the tools where there are any",
      },
      { name: "preferred_output", type: openaiMessages, meaning: "the better message, alone in its list" },
      { name: "non_preferred_output", type: openaiMessages, meaning: "the worse message, alone in its list" },
    ],
    notes: [
      PARTING,
      ONE_MESSAGE,
      "the service takes no further columns, so rows carry no ids and no `tokens`",
    ],
    source: [SOURCES.openaiDpo],
  },
  "trl-kto": {
    kind: "kto",
    unit: "trajectory",
    trainer: "TRL KTOTrainer",
    use: "single attempts, good and bad",
    format: "trl-kto",
    files: "jsonl",
    columns: [
      { name: "prompt", type: TEMPLATE_MESSAGES, meaning: "messages up to the first that is learnt" },
      { name: "completion", type: TEMPLATE_MESSAGES, meaning: "the agent's messages and the results it got" },
      { name: "label", type: "bool", meaning: "whether the attempt succeeded, by the source's verdict" },
      TEMPLATE_TOOLS,
      REWARD,
      SUCCESS,
      ...ORIGIN,
    ],
    notes: [
      ...TEMPLATE_NOTES,
      "a set with labels of one kind only is not written: there is nothing to tell apart",
    ],
    source: [SOURCES.trl],
  },
  "trl-prm": {
    kind: "prm",
    unit: "trajectory",
    trainer: "TRL PRMTrainer",
    use: "every step of an attempt with its process reward, for a process reward model",
    format: "trl-prm",
    files: "jsonl",
    columns: [
      { name: "prompt", type: "string", meaning: "what came before the agent's first step, as text" },
      {
        name: "completions",
        type: list("string"),
        meaning: "each step as text: what the agent saw since the last one, then what it said and did",
      },
      { name: "labels", type: list("bool"), meaning: "whether the step's reward is at least 0.5" },
      {
        name: "soft_labels",
        type: list("float64"),
        meaning: "the step's reward itself, in [0, 1]",
        extra: true,
      },
      REWARD,
      SUCCESS,
      ...ORIGIN,
    ],
    notes: [
      "`PRMTrainer` is part of TRL up to 1.13.0",
      "a step is judged before its result is shown, which comes with the step after it",
      "steps without a reward, such as a final answer, are context of the next one; what follows the last rewarded step is left out",
    ],
    source: [SOURCES.trl],
  },
} as const satisfies Readonly<Record<string, Target>>;
