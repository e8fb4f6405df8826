import { type CallParser, isObject, jsonValue, type ParsedCall, unreadable } from "./parsed-call.ts";

/** What the argument of a tool is called that is given as bare text. */
const BARE: Readonly<Record<string, string>> = {
  read_file: "file_path",
  file_read: "file_path",
  edit_file: "file_path",
  bash: "command",
  shell: "command",
  grep: "pattern",
  search: "pattern",
  glob: "file_pattern",
  respond: "message",
  reply: "message",
  submit: "conclusion",
  finish: "result",
  think: "thought",
  web_search: "query",
  knowledge_base: "query",
  query_stats: "query",
};

/**
 * One call as knowlyr-gym's models write it: `<action>tool</action><params>{…}</params>` with `<thought>` before it, or
 * `Thought: …` and `Action: tool({…})`, or `tool {…}`, or `tool text`. An empty answer is an empty thought. The whole
 * answer is the call.
 */
export const actionText: CallParser = (text) => {
  const body = text.trim();
  const tagged = /<action>([\s\S]*?)<\/action>/.exec(body);
  const labelled = /^(?:Thought:([\s\S]*?)\n\s*)?Action:\s*([\s\S]*)$/.exec(body);
  const call = tagged === null ? bareCall(labelled?.[2]?.trim() ?? body) : taggedCall(tagged[1] ?? "", body);
  const thought =
    /<thought>([\s\S]*?)<\/thought>/.exec(tagged === null ? "" : body)?.[1] ?? labelled?.[1] ?? "";
  if (thought.trim() === "") return [{ kind: "calls", source: text, calls: [call] }];
  return [
    { kind: "thought", source: "", text: thought.trim() },
    { kind: "calls", source: text, calls: [call] },
  ];
};

function taggedCall(name: string, body: string): ParsedCall {
  const raw = /<params>([\s\S]*?)<\/params>/.exec(body)?.[1];
  if (raw === undefined) return { tool: name, params: {} };
  const params = jsonValue(raw);
  return isObject(params) ? { tool: name, params } : unreadable(raw, name);
}

function bareCall(body: string): ParsedCall {
  if (body === "") return { tool: "think", params: { thought: "" } };
  const [, name = body, rest = ""] = /^([^\s({]+)\s*([\s\S]*)$/.exec(body) ?? [];
  const called = /^\((\{[\s\S]*\})\)$/.exec(rest)?.[1];
  const params = jsonValue(called ?? rest);
  if (isObject(params)) return { tool: name, params };
  return rest === "" ? { tool: name, params: {} } : { tool: name, params: { [BARE[name] ?? "input"]: rest } };
}
