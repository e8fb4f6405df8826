type Json = Readonly<Record<string, unknown>>;

/** What a log holds, counted over the source alone. */
export interface Counts {
  /** Turns of the agent. */
  readonly turns: number;
  /** Tool calls, native or written in the text. */
  readonly calls: number;
  /** Of them those that the model's interface had as such. */
  readonly native: number;
}

/** Counts a record of one of the published logs; `folder` says which tool wrote it. */
export function countSource(folder: string, value: unknown): Counts {
  const row = value as Json;
  switch (folder) {
    case "openhands-v0":
    case "openhands-output-jsonl":
    case "openhands-swegym-hf":
      return countOpenHands(value);
    case "swe-agent":
      return countSweAgent(row);
    case "atif":
      return countAtif(row);
    case "crew":
      return countCrew(value as readonly Json[]);
    default:
      return countMessages(folder, value);
  }
}

const FRAMEWORK = new Set<unknown>(["null", "agent_state_changed", "change_agent_state", "recall", "system"]);

function countOpenHands(value: unknown): Counts {
  const row = value as Json;
  const items = (Array.isArray(value) ? value : (row["history"] ?? row["trajectory"] ?? row["content"])) as
    | readonly Json[]
    | undefined;
  if (items === undefined) return countMessages("openhands", value);
  if (items.some((item) => "class_" in item)) {
    const calls = items.filter((item) => "function" in item).length;
    return { turns: items.filter((item) => !("class_" in item)).length, calls, native: calls };
  }
  const actions = items.filter((event, at) => {
    const said = event["source"] === "user" || (!("source" in event) && at === 0);
    return "action" in event && !FRAMEWORK.has(event["action"]) && !said;
  });
  const calls = actions.filter((event) => event["action"] !== "message").length;
  return { turns: actions.length, calls, native: calls };
}

/** The history lacks the last step of some runs; the list of steps has it. */
function countSweAgent(row: Json): Counts {
  const history = row["history"] as readonly Json[];
  const answers = history.filter(({ role }) => role === "assistant");
  const steps = row["trajectory"] as readonly Json[];
  const last = steps.at(-1);
  const missing = last === undefined || history.some(({ action }) => action === last["action"]) ? 0 : 1;
  const native = answers.reduce((sum, { tool_calls: calls }) => sum + lengthOf(calls), 0);
  const written = answers.filter((answer) => !answer["tool_calls"] && answer["action"] !== "").length;
  const calls = native + written + missing;
  return { turns: answers.length + missing, calls, native: native > 0 ? native + missing : 0 };
}

function countAtif(document: Json): Counts {
  const steps = (document["steps"] as readonly Json[]).filter(({ source }) => source === "agent");
  const calls = steps.reduce((sum, step) => sum + lengthOf(step["tool_calls"]), 0);
  return { turns: steps.length, calls, native: calls };
}

/** Every reply with words in it is a turn. */
function countCrew(events: readonly Json[]): Counts {
  const messages = events.filter(({ event }) => event === "message");
  const replies = messages.filter(({ role, content }) => role === "assistant" && content !== "").length;
  return { turns: replies, calls: 0, native: 0 };
}

function countMessages(folder: string, value: unknown): Counts {
  const row = value as Json;
  const request = Array.isArray(value)
    ? value
    : (row["messages"] ?? row["conversations"] ?? row["trajectory"]);
  const choices = ((row["response"] as Json | undefined)?.["choices"] ?? []) as readonly Json[];
  const all = [
    ...((row["raw_messages"] ?? request) as readonly Json[]),
    ...choices.map(({ message }) => message as Json),
  ];
  const answers = all.filter(({ role }) => role === "assistant" || role === "ai");
  const native = answers.reduce(
    (sum, answer) =>
      sum + (answer["tool_calls"] ? lengthOf(answer["tool_calls"]) : answer["function_call"] ? 1 : 0),
    0,
  );
  const written = answers.filter((answer) => !answer["tool_calls"] && isWritten(folder, row, answer)).length;
  // Messages that a proxy kept in two forms went to the model as text; only its last reply may hold a native call.
  const replies = ((row["raw_response"] as Json | undefined)?.["choices"] ?? []) as readonly Json[];
  const last = replies.reduce((sum, { message }) => sum + lengthOf((message as Json)["tool_calls"]), 0);
  return { turns: answers.length, calls: native + written, native: "raw_messages" in row ? last : native };
}

/** Whether an answer holds a call in the way that its tool writes calls into the text. */
function isWritten(folder: string, row: Json, answer: Json): boolean {
  const words = String(answer["text"] ?? answer["content"]);
  switch (folder) {
    case "openhands":
      return /<function=\w+>/.test(words);
    case "swe-agent-hf":
      return words.includes("<function=") || /^```/m.test(words);
    case "mini-swe-agent":
      return /^```/m.test(words);
    default:
      // The one row of mini-swe-agent among the chats.
      return row["verified"] !== undefined && /^```/m.test(words);
  }
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}
