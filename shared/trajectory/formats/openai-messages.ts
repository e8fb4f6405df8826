import { TrajectoryBuilder } from "../builder.ts";
import type { Draft } from "../draft.ts";
import { ConversionError, type Detection, type Format, type FormatInput } from "../format.ts";
import { isChatMessage } from "./chat-roles.ts";
import { messagesOf, readRow } from "./chat-row.ts";
import { ChatTurns } from "./chat-turns.ts";
import { addResponse, RESPONSE_KEYS, responseMessage } from "./litellm-response.ts";
import { field, type JsonRecord, list, nearness, record, records, rest, text } from "./read.ts";
import { chatFromItems, isResponsesItem } from "./responses-items.ts";

/** Fields that a model call in some other wrapping has: just enough to name this format in a rejection. */
const HINTS = ["role", "content", "message", "input", "output", "response"];

/** Elements that are looked at to know a list by. */
const HEAD = 3;

/**
 * Chat logs of any origin: rows of `messages` or `conversations`, bare message lists, ShareGPT, Anthropic
 * content, OpenAI Responses items, and the logs of LiteLLM and other proxies. Generic: it yields to every format
 * that knows more about a record.
 */
export const openaiMessages: Format = {
  name: "openai-messages",
  description: "chat messages: OpenAI, Anthropic and ShareGPT rows, bare message lists, LiteLLM logs",
  version: "1",
  generic: true,
  detect,
  isPart: (value) => isChatMessage(value) || isResponsesItem(value),
  convert,
};

function detect(value: unknown): Detection {
  const items = list(value);
  if (items !== undefined) {
    if (allMessages(items)) return { match: true, variant: "messages" };
    return nearness([
      [items.length > 0 && items.slice(0, HEAD).some(isItem), "$[*].role"],
      [false, "a list of chat messages"],
    ]);
  }
  const row = record(value);
  if (row === undefined) return nearness([[false, "a JSON object or list"]]);
  const found = messagesOf(row);
  if (found !== undefined && allMessages(found.messages)) {
    if (responseMessage(field(row, "response")) !== undefined) return { match: true, variant: "proxy log" };
    const shareGpt = !Object.hasOwn(record(found.messages[0]) ?? {}, "role");
    return { match: true, variant: shareGpt ? "sharegpt row" : "chat row" };
  }
  if (isResponses(row)) return { match: true, variant: "responses" };
  const missing =
    found === undefined ? "$.messages[*].role" : `$.${found.key}[*].role with content or tool_calls`;
  if (found === undefined && HINTS.some((key) => Object.hasOwn(row, key))) {
    return { match: false, near: 0.1, missing: ["$.messages", missing] };
  }
  return nearness([
    [found !== undefined, "$.messages"],
    [false, missing],
  ]);
}

function isItem(value: unknown): boolean {
  return isChatMessage(value) || isResponsesItem(value);
}

function allMessages(items: readonly unknown[]): boolean {
  return items.length > 0 && items.slice(0, HEAD).every(isItem);
}

/** A Responses API object or a request with its output. */
function isResponses(row: JsonRecord): boolean {
  const output = list(field(row, "output"));
  if (output === undefined || output.length === 0 || !output.slice(0, HEAD).every(isItem)) return false;
  const input = field(row, "input");
  return text(field(row, "object")) === "response" || typeof input === "string" || list(input) !== undefined;
}

function convert(input: FormatInput): readonly Draft[] {
  const builder = new TrajectoryBuilder();
  const turns = new ChatTurns(builder);
  const items = list(input.value);
  const row = record(input.value);
  if (items !== undefined) addMessages(items, { turns, path: "$" });
  else if (row !== undefined) convertRow(row, { turns, builder });
  if (builder.task.description === undefined && turns.firstUser !== undefined && turns.firstUser !== "") {
    builder.task.description = turns.firstUser;
  }
  return [builder.build(input.variant)];
}

interface Target {
  readonly turns: ChatTurns;
  readonly builder: TrajectoryBuilder;
}

function convertRow(row: JsonRecord, target: Target): void {
  const found = messagesOf(row);
  const responses = found === undefined && isResponses(row);
  if (found === undefined && !responses) {
    throw new ConversionError({
      code: "no-messages",
      jsonPath: "$.messages",
      reason: "there is no list of messages",
      remedy: "name the format the log is in, or write a mapping for it",
    });
  }
  const used = responses ? addResponses(row, target) : [found?.key ?? "", ...addChat(row, found, target)];
  readRow(row, target.builder, { used, path: "$" });
}

function addChat(row: JsonRecord, found: ReturnType<typeof messagesOf>, target: Target): readonly string[] {
  const { turns, builder } = target;
  addSystem(row, target);
  const raw = records(field(row, "raw_messages"));
  const messages = found?.messages ?? [];
  const path = `$.${found?.key}`;
  const twins = raw.length === messages.length ? raw : [];
  addMessages(messages, { turns, path, twins });
  if (raw.length > 0) builder.drop("$.raw_messages", "the same messages before the proxy rewrote them");
  if (responseMessage(field(row, "response")) === undefined) return ["system", "raw_messages"];
  addResponse(row, turns, builder);
  readRequest(row, builder);
  return ["system", "kwargs", ...RESPONSE_KEYS];
}

/** The request's settings; the tools and messages in it stand in the log a second time. */
function readRequest(row: JsonRecord, builder: TrajectoryBuilder): void {
  const request = field(row, "kwargs");
  if (Object.hasOwn(row, "tools") && field(request, "tools") !== undefined) {
    builder.drop("$.kwargs.tools", "repeats the list of tools");
  } else {
    const tools = records(field(request, "tools"));
    if (tools.length > 0) builder.agentInfo.tool_definitions = tools.map((tool) => ({ ...tool }));
  }
  const { kept, large } = rest(request, ["tools", "messages"]);
  if (Object.keys(kept).length > 0) builder.metadata["request"] = kept;
  if (large.length > 0) builder.drop("$.kwargs.*", "a large setting of the request", large.length);
}

/** Anthropic requests and the Responses API keep the system prompt beside the messages. */
function addSystem(row: JsonRecord, { turns }: Target): void {
  const prompt =
    field(row, "system") ??
    (list(field(row, "output")) === undefined ? undefined : field(row, "instructions"));
  if (typeof prompt === "string" ? prompt !== "" : Array.isArray(prompt) && prompt.length > 0) {
    turns.add({ role: "system", content: prompt }, { path: "$.system" });
  }
}

function addResponses(row: JsonRecord, target: Target): readonly string[] {
  addSystem(row, target);
  const input = field(row, "input");
  const opening = typeof input === "string" ? [{ role: "user", content: input }] : (list(input) ?? []);
  const items = [...opening, ...(list(field(row, "output")) ?? [])];
  addMessages(items, { turns: target.turns, path: "$.output" });
  return ["system", "instructions", "input", "output", "object"];
}

function addMessages(
  items: readonly unknown[],
  target: { readonly turns: ChatTurns; readonly path: string; readonly twins?: readonly JsonRecord[] },
): void {
  const plain = !items.some(isResponsesItem);
  const messages = plain ? items : chatFromItems(items);
  for (const [index, message] of messages.entries()) {
    target.turns.add(message, {
      path: `${target.path}[*]`,
      twin: plain ? target.twins?.[index] : undefined,
    });
  }
}
