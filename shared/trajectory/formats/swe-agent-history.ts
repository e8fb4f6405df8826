import type { CallInput, TrajectoryBuilder } from "../builder.ts";
import { contentText, readContent } from "../content.ts";
import type { ResultExtra, StepExtra } from "../gymline-extra.ts";
import type { Step } from "../schema.ts";
import { nativeCalls } from "./chat-calls.ts";
import { field, filled, has, type JsonRecord, list, number, rest, text } from "./read.ts";
import { thinking } from "./swe-agent-native.ts";
import { commandCall, fencedCall, xmlCall } from "./swe-agent-text.ts";

/** One message of the history with the step of the `trajectory` list that belongs to it, where there is one. */
export interface HistoryItem {
  readonly message: JsonRecord;
  readonly step?: JsonRecord;
  /** The message is one of a run with native calls, but its own call is known by its command line only. */
  readonly rebuilt?: boolean;
}

const USED = [
  "role",
  "content",
  "agent",
  "message_type",
  "is_demo",
  "thought",
  "action",
  "tool_calls",
  "function_call",
  "tool_call_ids",
  "tool_call_id",
  "thinking_blocks",
  "reasoning_content",
  "timestamp",
  "trainable",
];
const ELIDED = "Old environment output: (";
const FRAMEWORK_EXIT = "Exit due to ";

/**
 * Adds the messages of a SWE-agent history to a builder, in order. The history is what the model saw; the steps
 * of the `trajectory` list add the run time and state, and the observation where the history lost it.
 */
export function addHistory(builder: TrajectoryBuilder, items: readonly HistoryItem[], path: string): void {
  new HistoryReader(builder, items, path).read();
}

class HistoryReader {
  readonly #builder: TrajectoryBuilder;
  readonly #items: readonly HistoryItem[];
  readonly #path: string;
  /** Demonstrations beside the run's own messages are context; a history of nothing else is the run itself. */
  readonly #demosAreContext: boolean;
  readonly #mainAgent: string | undefined;
  /** The last agent message while nothing has answered it. */
  #open: { readonly native: boolean; readonly called: boolean; readonly step?: JsonRecord } | undefined;

  constructor(builder: TrajectoryBuilder, items: readonly HistoryItem[], path: string) {
    this.#builder = builder;
    this.#items = items;
    this.#path = path;
    const own = items.find(({ message }) => isAssistant(message) && message["is_demo"] !== true);
    this.#demosAreContext = own !== undefined;
    this.#mainAgent = text(field(own?.message, "agent"));
  }

  read(): void {
    for (const [index, item] of this.#items.entries()) {
      const { message } = item;
      if (isAssistant(message)) {
        this.#closeUnanswered();
        this.#assistant(item, index === this.#items.length - 1);
      } else if (isResult(message) || (message["role"] === "user" && this.#awaitsUser(message))) {
        this.#result(message);
      } else this.#message(message);
      if (has(message, "message_type")) {
        this.#builder.drop(`${this.#path}[*].message_type`, "follows from the role and the calls");
      }
    }
    this.#closeUnanswered();
  }

  #awaitsUser(message: JsonRecord): boolean {
    const open = this.#open;
    return open?.called === true && !open.native && message["is_demo"] !== true;
  }

  #message(message: JsonRecord): void {
    const role = text(message["role"]) ?? "unknown";
    const input = {
      content: field(message, "content"),
      timestamp: field(message, "timestamp"),
      extra: {
        ...this.#extra(message),
        ...(role === "system" || role === "user" ? {} : { role: role.slice(0, 100) }),
      },
    };
    this.#markContext(message, role === "user" ? this.#builder.user(input) : this.#builder.system(input));
  }

  #assistant({ message, step, rebuilt }: HistoryItem, last: boolean): void {
    const content = field(message, "content");
    const words = contentText(readContent(content, "", NOWHERE));
    const calls = rebuilt === true ? rebuiltCalls(message) : callsOf(message, words);
    const native = calls.some((call) => call.from !== "text");
    const { reasoning, signatures } = thinking(message);
    const thought = text(message["thought"]) ?? text(field(step, "thought"));
    // Older and newer versions alike end a stopped run with a message of their own, never sent by the model.
    const framework = last && calls.length === 0 && words.startsWith(FRAMEWORK_EXIT);
    const state = this.#state(step);
    const extra: StepExtra = {
      ...this.#extra(message),
      ...(framework ? { trainable: false } : {}),
      ...(thought === undefined || thought.trim() === "" || thought === words ? {} : { thought }),
      ...(signatures.length > 0 ? { signatures } : {}),
    };
    const added = this.#builder.agent({
      content,
      timestamp: field(message, "timestamp"),
      reasoning,
      calls,
      ...(framework ? { modelCalls: 0 } : {}),
      extra: state === undefined ? extra : { ...extra, native: { ...extra.native, state } },
    });
    this.#markContext(message, added);
    this.#open = { native, called: calls.length > 0, ...(step === undefined ? {} : { step }) };
  }

  #result(message: JsonRecord): void {
    const ids = list(message["tool_call_ids"]);
    const id = ids?.[0] ?? field(message, "tool_call_id");
    if (ids !== undefined && ids.length > 1) this.#builder.note("a tool message names more than one call");
    const step = this.#open?.step;
    const seen = field(message, "content");
    const full = text(field(step, "observation"));
    const elided = typeof seen === "string" && seen.startsWith(ELIDED) && full !== undefined;
    if (elided) {
      // The model saw the full text when it took its next action; the history processor cut it out later.
      this.#builder.note("an observation that the history elides was taken from the trajectory list");
    } else if (full !== undefined) {
      const kept = contentText(readContent(seen, "", NOWHERE)).includes(full.trim());
      this.#builder.drop(
        "$.trajectory[*].observation",
        kept ? "repeats the history" : "the history has the part that the model saw",
      );
    }
    const { kept } = rest(message, USED);
    const native = { ...kept, ...runFacts(step) };
    const extra: ResultExtra = {
      ...(message["role"] === "user" ? { role: "user" } : {}),
      ...(Object.keys(native).length > 0 ? { native } : {}),
    };
    this.#builder.result({ callId: id, content: elided ? full : seen, extra });
    this.#open = undefined;
  }

  /** The run may end before the last observation reached the history; the trajectory list still has it. */
  #closeUnanswered(): void {
    const observation = text(field(this.#open?.step, "observation"));
    if (this.#open !== undefined && observation !== undefined && (this.#open.called || observation !== "")) {
      const native = runFacts(this.#open.step);
      this.#builder.result({
        content: observation,
        extra: Object.keys(native).length > 0 ? { native } : {},
      });
    }
    this.#open = undefined;
  }

  #markContext(message: JsonRecord, step: Step): void {
    if (message["is_demo"] === true && this.#demosAreContext) step.is_copied_context = true;
  }

  #extra(message: JsonRecord): StepExtra {
    const agent = text(message["agent"]);
    const { kept, large } = rest(message, USED);
    for (const key of large) {
      this.#builder.drop(
        `${this.#path}[*].${/^\w{1,64}$/.test(key) ? key : "*"}`,
        "a large field that the format does not define",
      );
    }
    const native = {
      ...kept,
      ...(agent !== undefined && this.#mainAgent !== undefined && agent !== this.#mainAgent ? { agent } : {}),
    };
    return {
      ...(message["is_demo"] === true || message["trainable"] === false ? { trainable: false } : {}),
      ...(Object.keys(native).length > 0 ? { native } : {}),
    };
  }

  #state(step: JsonRecord | undefined): unknown {
    const { kept, large } = rest({ state: field(step, "state") }, []);
    if (large.length === 0) return kept["state"];
    const inner = rest(field(step, "state"), []);
    this.#builder.drop("$.trajectory[*].state", "large fields of the state (such as the growing diff)");
    return Object.keys(inner.kept).length > 0 ? inner.kept : undefined;
  }
}

/** Native calls; else function XML; else the action that the source parsed out; else the last fenced block. */
function callsOf(message: JsonRecord, words: string): readonly CallInput[] {
  const native = nativeCalls(message);
  if (native.length > 0) return native;
  const parsed = has(message, "action");
  const call = xmlCall(words) ?? (parsed ? commandCall(text(message["action"]) ?? "") : fencedCall(words));
  return call === undefined ? [] : [call];
}

function rebuiltCalls(message: JsonRecord): readonly CallInput[] {
  const call = commandCall(text(message["action"]) ?? "");
  if (call === undefined) return [];
  const bare = call.name !== "bash" && text(message["action"])?.trim() === call.name;
  return [{ name: call.name, arguments: bare ? {} : call.arguments }];
}

function isAssistant(message: JsonRecord): boolean {
  return message["role"] === "assistant" || message["role"] === "ai";
}

function isResult(message: JsonRecord): boolean {
  return (
    message["role"] === "tool" ||
    message["role"] === "function" ||
    filled(list(message["tool_call_ids"])?.[0]) !== undefined
  );
}

function runFacts(step: JsonRecord | undefined): Record<string, unknown> {
  const seconds = number(field(step, "execution_time"));
  const { kept } = rest({ extra_info: field(step, "extra_info") }, []);
  return { ...(seconds === undefined ? {} : { execution_time: seconds }), ...kept };
}

/** For reading a text a second time: the builder has taken attachments and losses from it already. */
const NOWHERE = { attach: () => "", drop: () => undefined } as const;
