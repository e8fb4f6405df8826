import { type Column, list, struct } from "./column-type.ts";
import {
  MESSAGES,
  ORIGIN,
  REWARD,
  STEP_REWARDS,
  SUCCESS,
  TASK,
  TASK_ID,
  TEMPLATE_MESSAGES,
  TEMPLATE_TOOLS,
  TOKENS,
  TOOLS,
  WEIGHTS,
} from "./message-type.ts";
import { SOURCES } from "./sources.ts";
import type { Target } from "./target.ts";

const promptMessages = list(struct({ role: "string", content: "string" }));

/** What a reward function needs of a task, and how known attempts at it went. */
const EXTRA_INFO = struct({
  split: "string",
  index: "int64",
  task: "string",
  task_id: "string",
  attempts: "int64",
  mean_reward: "float64",
  best_reward: "float64",
  success_rate: "float64",
  tokens: "string",
});

const GROUND_TRUTH =
  "JSON text of what the task is checked by: task id, repository, commit, test command, each null where the log has none";

const TASK_FIELDS: readonly Column[] = [
  {
    name: "description",
    type: "string",
    meaning: "what was to be done; null where the log does not say it apart",
    optional: true,
  },
  { name: "repo", type: "string", meaning: "repository, or null", optional: true },
  { name: "base_commit", type: "string", meaning: "commit the work starts from, or null", optional: true },
  { name: "test_command", type: "string", meaning: "command that checks the work, or null", optional: true },
  { name: "difficulty", type: "string", meaning: "as the source grades it, or null", optional: true },
];

const PLAIN_PROMPT =
  "prompts hold a system message, if any, and user messages; tasks whose prompt has calls in it are left out";
const EXTRA_TOKENS =
  "`extra_info.tokens` says of the best attempt whether its token ids are known: `token_exact` or `text_only`";

export const GROUP_TARGETS = {
  "grpo-offline": {
    kind: "grpo",
    unit: "group",
    trainer: "Gymline's GRPO trainer",
    use: "all attempts at a task with their rewards and those of their steps; the rows of a group follow each other",
    format: "grpo-offline",
    files: "parquet",
    columns: [
      {
        name: "group",
        type: "string",
        meaning: "equal for attempts at one task whose rewards may be compared",
      },
      { name: "group_size", type: "int64", meaning: "attempts that mean and deviation rest on" },
      { name: "group_mean", type: "float64", meaning: "mean reward of the group" },
      { name: "group_std", type: "float64", meaning: "standard deviation of the group's rewards (n − 1)" },
      {
        name: "messages",
        type: TEMPLATE_MESSAGES,
        meaning:
          "the conversation as chat templates take it; arguments are objects, but stay text where they are no JSON object",
      },
      TEMPLATE_TOOLS,
      { ...WEIGHTS, name: "weights" },
      STEP_REWARDS,
      {
        name: "prompt_token_ids",
        type: list(list("int64")),
        meaning: "per message: tokens the model was given before it, null where the log has none",
      },
      {
        name: "completion_token_ids",
        type: list(list("int64")),
        meaning: "per message: tokens the model wrote, null where the log has none",
      },
      {
        name: "logprobs",
        type: list(list("float64")),
        meaning: "per message: log-probability of each of these tokens, null where the log has none",
      },
      REWARD,
      SUCCESS,
      ...ORIGIN,
    ],
    notes: [
      "Parquet, since `datasets` keeps ten digits of the fractions in a JSON Lines file with free JSON, log-probs among them",
      "groups of one attempt, and those whose rewards are all equal, teach nothing and are left out",
      "with `dataset.perTask`, attempts are drawn by the seed, not the best first, which would bend the mean",
      "a file may be longer than `dataset.shardRows`: groups are not torn apart",
    ],
    source: [],
  },
  "verl-rl": {
    kind: "grpo",
    unit: "task",
    trainer: "verl, online RL",
    use: "one prompt for each task",
    format: "verl-rl",
    files: "parquet",
    columns: [
      { name: "data_source", type: "string", meaning: "`gymline/<domain>`: picks the reward function" },
      { name: "prompt", type: promptMessages, meaning: "messages before the agent's first" },
      { name: "ability", type: "string", meaning: "the domain" },
      {
        name: "reward_model",
        type: struct({ style: "string", ground_truth: "string" }),
        meaning: `style \`rule\`; ground_truth: ${GROUND_TRUTH}`,
      },
      { name: "extra_info", type: EXTRA_INFO, meaning: "split, place, task, and how known attempts went" },
    ],
    notes: [PLAIN_PROMPT, EXTRA_TOKENS, "verl takes tools from its own configuration"],
    source: [SOURCES.verl],
  },
  skyrl: {
    kind: "grpo",
    unit: "task",
    trainer: "SkyRL, online RL",
    use: "one prompt for each task",
    format: "skyrl",
    files: "parquet",
    columns: [
      { name: "data_source", type: "string", meaning: "`gymline/<domain>`" },
      { name: "prompt", type: promptMessages, meaning: "messages before the agent's first" },
      {
        name: "env_class",
        type: "string",
        meaning: "the environment registered with SkyRL (`dataset.envClass`)",
      },
      {
        name: "reward_spec",
        type: struct({ method: "string", ground_truth: "string" }),
        meaning: `method \`rule\`; ground_truth: ${GROUND_TRUTH}`,
      },
      { name: "extra_info", type: EXTRA_INFO, meaning: "split, place, task, and how known attempts went" },
    ],
    notes: [PLAIN_PROMPT, EXTRA_TOKENS],
    source: [SOURCES.skyrl],
  },
  "trl-grpo": {
    kind: "grpo",
    unit: "task",
    trainer: "TRL GRPOTrainer",
    use: "one prompt for each task; the other columns reach the reward functions",
    format: "trl-grpo",
    files: "jsonl",
    columns: [
      { name: "prompt", type: promptMessages, meaning: "messages before the agent's first" },
      { name: "ground_truth", type: "string", meaning: GROUND_TRUTH },
      { name: "domain", type: "string", meaning: "the domain" },
      TEMPLATE_TOOLS,
      { name: "extra_info", type: EXTRA_INFO, meaning: "split, place, task, and how known attempts went" },
    ],
    notes: [
      PLAIN_PROMPT,
      EXTRA_TOKENS,
      "TRL takes the tools themselves as functions; the column only names them",
    ],
    source: [SOURCES.trl, SOURCES.trlGrpo],
  },
  verifiers: {
    kind: "grpo",
    unit: "task",
    trainer: "verifiers and prime-rl, online RL",
    use: "one prompt for each task, for an environment's `dataset`",
    format: "verifiers",
    files: "jsonl",
    columns: [
      { name: "prompt", type: promptMessages, meaning: "messages before the agent's first" },
      { name: "answer", type: "string", meaning: GROUND_TRUTH },
      {
        name: "info",
        type: "string",
        meaning: "JSON text, which verifiers parses: domain, split, task, and how known attempts went",
      },
      { name: "task", type: "string", meaning: "`gymline/<domain>`" },
    ],
    notes: [
      PLAIN_PROMPT,
      'verifiers numbers the rows itself, as `example_id`; environment, tools and rewards are code of yours: `vf.ToolEnv(dataset=load_dataset(<folder>, split="train"), …)`',
      "a taskset of verifiers 1 takes a row's `prompt` as that of `vf.TaskData`",
    ],
    source: [SOURCES.verifiers],
  },
  benchmark: {
    kind: "benchmark",
    unit: "task",
    trainer: "anything that evaluates agents",
    use: "tasks with a reference trajectory and the rewards to expect",
    format: "benchmark",
    files: "jsonl",
    columns: [
      { ...TASK, meaning: "what attempts are grouped by: the task id, else a hash" },
      TASK_ID,
      ...TASK_FIELDS,
      { name: "domain", type: "string", meaning: "the domain" },
      { name: "prompt", type: MESSAGES, meaning: "messages before the agent's first" },
      TOOLS,
      { name: "reference_id", type: "string", meaning: "the attempt with the best reward" },
      { name: "reference", type: MESSAGES, meaning: "its conversation" },
      {
        name: "attempts",
        type: list(struct({ id: "string", reward: "float64", success: "bool", steps: "int64" })),
        meaning: "all attempts, the best first",
      },
      {
        name: "expected_reward_range",
        type: list("float64"),
        meaning: "least and greatest reward of the attempts",
      },
      { ...TOKENS, meaning: "of the reference: `token_exact` or `text_only`" },
    ],
    notes: ["with `dataset.perTask`, so many of the best attempts are listed; the range is that of all"],
    source: [],
  },
} as const satisfies Readonly<Record<string, Target>>;
