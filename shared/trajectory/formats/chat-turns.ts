import type { CallInput, ResultInput, TrajectoryBuilder } from "../builder.ts";
import { contentText } from "../content.ts";
import type { ResultExtra, StepExtra } from "../gymline-extra.ts";
import type { Metrics, Step } from "../schema.ts";
import { isoTimestamp } from "../timestamp.ts";
import { callSignatures, nativeCalls, textCalls } from "./chat-calls.ts";
import { readThinking, type Signature, splitContent } from "./chat-content.ts";
import { tokenMetrics, usageMetrics } from "./chat-metrics.ts";
import { contentOf, kindOf, notedRole, roleOf } from "./chat-roles.ts";
import { field, filled, flag, integer, type JsonRecord, number, record, records, rest } from "./read.ts";

const MESSAGE_KEYS = [
  ...["role", "from", "content", "value", "tool_calls", "function_call", "tool_call_id", "call_id", "type"],
  ...["reasoning_content", "reasoning", "thinking", "thinking_blocks", "reasoning_details", "refusal"],
  ...["timestamp", "created_at", "created", "model", "model_name", "usage", "cost", "logprobs"],
  ...["token_ids", "completion_token_ids", "prompt_token_ids", "weight", "train", "trainable", "loss"],
];
const RESULT_KEYS = [
  ...MESSAGE_KEYS,
  "name",
  "is_error",
  "error",
  "exit_code",
  "toolCallId",
  "toolName",
  "isError",
];

export interface MessagePlace {
  readonly path: string;
  /** The structured form of the same message, where the log has one beside the text the model saw. */
  readonly twin?: JsonRecord | undefined;
  /** What is known of this message from outside it: usage, cost, token ids. */
  readonly metrics?: Metrics;
  readonly native?: Record<string, unknown>;
  readonly model?: string | undefined;
  readonly timestamp?: unknown;
}

/** Adds chat messages to a trajectory one by one. */
export class ChatTurns {
  readonly #builder: TrajectoryBuilder;
  /** Names by id of the last agent turn's calls without a result, for results that name no call. */
  #open = new Map<string, string>();
  /** Text of the first user message. */
  firstUser: string | undefined;

  constructor(builder: TrajectoryBuilder) {
    this.#builder = builder;
  }

  add(value: unknown, place: MessagePlace): void {
    const message = record(value);
    const role = message === undefined ? undefined : roleOf(message);
    if (message === undefined || role === undefined) {
      this.#builder.drop(place.path, "a message without a role");
      return;
    }
    const kind = kindOf(role) ?? "user";
    if (kindOf(role) === undefined)
      this.#builder.note("a message of an unusual role was taken as a user message");
    if (kind === "agent" || kind === "call") this.#agent(message, { ...place, isCall: kind === "call" });
    else if (kind === "result") this.#result(message, place);
    else if (kind === "system") this.#plain("system", message, place);
    else this.#user(message, place);
  }

  /** Messages that hold nothing but text and media. */
  #plain(
    source: "system" | "user",
    message: JsonRecord,
    place: MessagePlace,
    content = contentOf(message),
  ): void {
    const role = notedRole(roleOf(message) ?? source);
    const native = this.#native(message, MESSAGE_KEYS, place);
    const extra: StepExtra = {
      ...(role === undefined ? {} : { role }),
      ...(native === undefined ? {} : { native }),
    };
    const step = this.#builder[source]({ content, timestamp: timeOf(message, place), extra });
    if (source === "user")
      this.firstUser ??= filled(field(place.twin, "content")) ?? contentText(step.message);
  }

  #user(message: JsonRecord, place: MessagePlace): void {
    const twinCall = filled(field(place.twin, "tool_call_id"));
    if (twinCall !== undefined) {
      const name = filled(field(place.twin, "name"));
      const extra: ResultExtra = { role: "user", ...(name === undefined ? {} : { name }) };
      this.#answer({ callId: twinCall, content: contentOf(message), extra });
      return;
    }
    const split = splitContent(contentOf(message));
    for (const result of split.results) this.#answer(result);
    const empty = Array.isArray(split.content) && split.content.length === 0;
    if (split.results.length === 0 || !empty) this.#plain("user", message, place, split.content);
  }

  #result(message: JsonRecord, place: MessagePlace): void {
    const content = contentOf(message);
    const split = splitContent(content);
    for (const result of split.results) this.#answer(result);
    if (split.results.length > 0 && Array.isArray(split.content) && split.content.length === 0) return;
    this.#answer({
      callId: field(message, "tool_call_id") ?? field(message, "toolCallId") ?? field(message, "call_id"),
      content: split.content,
      extra: this.#resultExtra(message, place),
    });
  }

  #resultExtra(message: JsonRecord, place: MessagePlace): ResultExtra {
    const role = notedRole(roleOf(message) ?? "tool");
    const name = filled(field(message, "name")) ?? filled(field(message, "toolName"));
    const failed = flag(field(message, "is_error")) ?? flag(field(message, "isError"));
    const error = filled(field(message, "error"));
    const exitCode = integer(field(message, "exit_code"));
    const timestamp = isoTimestamp(timeOf(message, place));
    const native = this.#native(message, RESULT_KEYS, place);
    return {
      ...(role === undefined ? {} : { role }),
      ...(name === undefined ? {} : { name }),
      ...(failed === undefined ? {} : { is_error: failed }),
      ...(error === undefined ? {} : { error }),
      ...(exitCode === undefined ? {} : { exit_code: exitCode }),
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(native === undefined ? {} : { native }),
    };
  }

  /** Pairs a result that names no call with the first open call of its name, else the first open one. */
  #answer(result: ResultInput): void {
    const given = result.callId;
    const callId = typeof given === "string" && given !== "" ? given : this.#nextOpen(result.extra?.name);
    if (callId !== undefined) this.#open.delete(callId);
    this.#builder.result({ ...result, callId });
  }

  #nextOpen(name: string | undefined): string | undefined {
    let first: string | undefined;
    for (const [id, callName] of this.#open) {
      if (name === undefined || callName === name) return id;
      first ??= id;
    }
    return first;
  }

  #agent(message: JsonRecord, place: MessagePlace & { readonly isCall: boolean }): void {
    const split = splitContent(contentOf(message) ?? field(message, "refusal"));
    const own: readonly CallInput[] = place.isCall ? textCalls(contentOf(message)) : nativeCalls(message);
    const twin = own.length > 0 || place.twin === undefined ? [] : nativeCalls(place.twin);
    const calls = [...split.calls, ...own, ...twin.map((call) => ({ ...call, from: "text" as const }))];
    const { reasoning, signatures } = readReasoning(message, split);
    const native = this.#native(message, MESSAGE_KEYS, place);
    const extra: StepExtra = {
      ...(trainable(message) ? {} : { trainable: false }),
      ...(signatures.length === 0 ? {} : { signatures: [...signatures] }),
      ...(native === undefined ? {} : { native }),
    };
    const model = filled(field(message, "model")) ?? filled(field(message, "model_name")) ?? place.model;
    const cost = number(field(message, "cost"));
    const step = this.#builder.agent({
      content: split.content,
      timestamp: timeOf(message, place),
      extra,
      ...(reasoning === undefined ? {} : { reasoning }),
      calls,
      ...(model === undefined ? {} : { model }),
      metrics: {
        ...usageMetrics(field(message, "usage")),
        ...tokenMetrics(message),
        ...(cost === undefined ? {} : { cost_usd: cost }),
        ...place.metrics,
      },
    });
    this.#open = openCalls(step);
    for (const result of split.results) this.#answer(result);
  }

  #native(
    message: JsonRecord,
    used: readonly string[],
    place: MessagePlace,
  ): Record<string, unknown> | undefined {
    const { kept, large } = rest(message, used);
    if (large.length > 0)
      this.#builder.drop(`${place.path}.*`, "a large field that chat messages do not have", large.length);
    const native = { ...kept, ...place.native };
    return Object.keys(native).length === 0 ? undefined : native;
  }
}

/** Ids as the source gave them: the builder pairs by those. */
function openCalls(step: Step): Map<string, string> {
  const open = new Map<string, string>();
  for (const call of step.tool_calls ?? []) {
    const given = call.extra?.gymline?.native?.["id"];
    open.set(typeof given === "string" ? given : call.tool_call_id, call.function_name);
  }
  return open;
}

function timeOf(message: JsonRecord, place: MessagePlace): unknown {
  return (
    field(message, "timestamp") ??
    field(message, "created_at") ??
    field(message, "created") ??
    place.timestamp
  );
}

/** Fine-tuning sets mask a message with `weight: 0` (OpenAI), `train: false` or `loss: false`. */
function trainable(message: JsonRecord): boolean {
  return !["weight", "train", "trainable", "loss"].some((key) => {
    const value = field(message, key);
    return value === 0 || value === false;
  });
}

function readReasoning(
  message: JsonRecord,
  split: { readonly thinking: readonly string[]; readonly signatures: readonly Signature[] },
): { readonly reasoning: string | undefined; readonly signatures: readonly Signature[] } {
  const blocks = [
    ...records(field(message, "thinking_blocks")),
    ...records(field(message, "reasoning_details")),
  ];
  const read = blocks.map(readThinking);
  const signatures = [
    ...split.signatures,
    ...read.flatMap((block) => block.signatures),
    ...callSignatures(message),
  ];
  const said = ["reasoning_content", "reasoning", "thinking"].map((key) => filled(field(message, key)));
  const explicit = said.find((thought) => thought !== undefined);
  // Most messages say what was thought in one field, or nowhere.
  if (blocks.length === 0 && split.thinking.length === 0 && signatures.length === 0)
    return { reasoning: explicit, signatures };
  const thoughts = [
    ...split.thinking,
    ...read.map((block) => block.thought).filter((thought) => thought !== undefined),
  ];
  const repeated = explicit !== undefined && bare(explicit).includes(bare(thoughts.join("")));
  const texts = [...(explicit === undefined ? [] : [explicit]), ...(repeated ? [] : new Set(thoughts))];
  const seen = new Set<string>();
  const unique = signatures.filter(({ value }) => !seen.has(value) && seen.add(value));
  return { reasoning: texts.length === 0 ? undefined : texts.join("\n\n"), signatures: unique };
}

/** Gateways give the thinking blocks once more as one text, with other white space between them. */
function bare(value: string): string {
  return value.replace(/\s+/g, "");
}
