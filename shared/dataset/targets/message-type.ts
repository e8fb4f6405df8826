import { type Column, type ColumnType, list, struct } from "./column-type.ts";

/** Calls as chat messages carry them; arguments are JSON text. */
export const TOOL_CALLS: ColumnType = list(
  struct({ id: "string", type: "string", function: struct({ name: "string", arguments: "string" }) }),
);

const MESSAGE_FIELDS = {
  role: "string",
  content: "string",
  reasoning_content: "string",
  tool_calls: TOOL_CALLS,
  tool_call_id: "string",
  name: "string",
} as const;

export const MESSAGES: ColumnType = list(struct(MESSAGE_FIELDS));

/** Messages for a chat template: as objects of one type, each would get the keys of all others, as nulls. */
export const TEMPLATE_MESSAGES: ColumnType = list("json");

/** Messages with further fields beside those of chat. */
export function messagesWith(fields: Readonly<Record<string, ColumnType>>): ColumnType {
  return list(struct({ ...MESSAGE_FIELDS, ...fields }));
}

export const TOOLS: Column = {
  name: "tools",
  type: "string",
  meaning: "JSON text of the tool definitions, `[]` where the log has none",
};

export const ONE_SYSTEM =
  "system and developer messages at the start are one system message, later ones are the user's: chat templates know no others";

/** What holds wherever messages are `TEMPLATE_MESSAGES`. */
export const TEMPLATE_NOTES = [
  "load the folder, not a file by itself: `load_dataset(<folder>)`. The card says that messages are free JSON, so that none gets the keys of others, as nulls (Hugging Face `datasets` 4.7 or newer, as TRL asks for)",
  "arguments are objects: as JSON text, many chat templates would quote them once more or stop. A trajectory with a call whose arguments are no JSON object is left out. `datasets` keeps ten digits of the fractions in a JSON Lines file with such a column, all of them in Parquet (`--parquet`)",
  ONE_SYSTEM,
] as const;

/** TRL parses a text; some chat templates take an empty list for tools. */
export const TEMPLATE_TOOLS: Column = {
  name: "tools",
  type: "string",
  meaning: "JSON text of the tool definitions, null where the log has none",
  optional: true,
};

function extra(name: string, type: ColumnType, meaning: string): Column {
  return { name, type, meaning, extra: true };
}

export const REWARD = extra(
  "reward",
  "float64",
  "total reward in [0, 1], null where nothing could be scored",
);
export const SUCCESS = extra("success", "bool", "the verdict the source gave, null where it gave none");
export const STEP_REWARDS = extra(
  "step_rewards",
  list("float64"),
  "per message: process reward of the agent's step in [0, 1], else null",
);
export const WEIGHTS = extra("weights", list("int64"), "per message: 1 to be learnt, 0 context");
export const TOKENS = extra(
  "tokens",
  "string",
  "`token_exact` where the stored trajectory has the token ids of all agent messages, else `text_only`",
);
export const TASK_ID = extra("task_id", "string", "the source's name of the task, null where it has none");
export const TASK = extra("task", "string", "what attempts are grouped by: the task id, else a hash");

/** Where a row of one trajectory comes from and how it was scored. */
export const ORIGIN: readonly Column[] = [
  extra("id", "string", "the trajectory: `gymline trace <id>` names the log it came from"),
  extra("content_id", "string", "equal for trajectories with the same actions and observations"),
  TASK_ID,
  extra("domain", "string", "domain it was scored by"),
  extra("agent", "string", "the agent's name"),
  extra("model", "string", "the model's name, null where the log has none"),
  extra("format", "string", "format of the log"),
  extra("scorer", "string", "what scored it, null where it has no score"),
  TOKENS,
];
