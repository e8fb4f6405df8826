import type { AgentInput, TrajectoryBuilder } from "../builder.ts";
import type { Step } from "../schema.ts";
import {
  actionMessage,
  applyEnd,
  eventTime,
  isEnd,
  mappedCall,
  messageContent,
  nativeCallId,
  observationContent,
  replyFields,
} from "./openhands-action.ts";
import { observationExtra } from "./openhands-observation.ts";
import { OpenActions, type Placed } from "./openhands-open.ts";
import { applyTotals, type ModelReply, readReply } from "./openhands-response.ts";
import { type OpenHandsEvent, readEvents } from "./openhands-shape.ts";
import { at, field, filled, has, integer, label, record, records, text } from "./read.ts";

/** Events that steer the framework; the model neither wrote nor saw them. */
const DROPPED: ReadonlyMap<string, string> = new Map([
  ["null", "an empty event"],
  ["agent_state_changed", "a state of the framework"],
  ["change_agent_state", "a state of the framework"],
  ["recall", "a look-up for the prompt; the text that the model got is not in the log"],
  ["condensation", "a decision of the context condenser"],
  ["condensation_request", "a request to the context condenser"],
  ["condense", "a decision of the context condenser"],
  ["pause", "a command to the framework"],
  ["resume", "a command to the framework"],
]);

const FINAL_STATES = new Set(["finished", "error", "rejected", "stopped"]);

/** Converts an OpenHands event stream into `builder`. */
export function convertEvents(values: readonly unknown[], builder: TrajectoryBuilder): void {
  const { events, other } = readEvents(values);
  if (other > 0) builder.drop("events[*]", "not an event", other);
  new EventStream(builder).read(events);
}

class EventStream {
  readonly #builder: TrajectoryBuilder;
  readonly #byEvent = new Map<string, Placed>();
  readonly #byCall = new Map<string, Placed>();
  readonly #open = new OpenActions();
  /** By reply id: the calls of the step it became, by their native ids. */
  readonly #replies = new Map<string, ReadonlyMap<string, Placed>>();
  /** Agents that were delegated to and have not come back. */
  readonly #delegates: { readonly agent: string; readonly placed: Placed | undefined }[] = [];
  #lastAgent: Step | undefined;
  #lastSpeaker: "user" | "agent" | undefined;

  constructor(builder: TrajectoryBuilder) {
    this.#builder = builder;
  }

  read(events: readonly OpenHandsEvent[]): void {
    let totals: unknown;
    for (const event of events) {
      if (has(event.raw, "llm_metrics")) totals = event.raw["llm_metrics"];
      this.#facts(event);
      const reason = DROPPED.get(event.type);
      if (reason !== undefined) this.#dropped(event, reason);
      else if (event.kind === "observation") this.#observation(event);
      else this.#action(event);
    }
    if (totals !== undefined) applyTotals(totals, this.#builder);
  }

  /** Facts about the run that any event may carry. */
  #facts(event: OpenHandsEvent): void {
    const { agentInfo, metadata, task } = this.#builder;
    if (text(event.raw["message"]) !== undefined && event.raw["message"] !== "") {
      this.#builder.drop("events[*].message", "a display text made from the event");
    }
    if (has(event.raw, "timeout") && event.raw["timeout"] !== null) {
      this.#builder.drop("events[*].timeout", "a limit of the runtime");
    }
    if (event.kind === "observation" && at(event.raw, "tool_call_metadata", "model_response") !== undefined) {
      this.#builder.drop(
        "events[*].tool_call_metadata.model_response",
        "a copy of the reply that the action holds",
      );
    }
    const extras = event.kind === "action" ? record(field(event.raw, "extras")) : event.fields;
    const model = filled(field(extras, "model")) ?? filled(field(event.raw, "model"));
    if (model !== undefined) agentInfo.model_name = model;
    const agentClass = filled(field(extras, "agent_class"));
    if (agentClass !== undefined) agentInfo.extra = { ...agentInfo.extra, agent_class: agentClass };
    const instance = label(field(extras, "instance_id"));
    if (instance !== undefined) task.id = instance;
    const limit = integer(field(extras, "max_iterations"));
    if (limit !== undefined) metadata["max_iterations"] = limit;
  }

  #dropped(event: OpenHandsEvent, reason: string): void {
    this.#builder.drop(`events[*] (${event.kind} ${event.type})`, reason);
    if (event.type === "condensation" || event.type === "condense") {
      this.#builder.note("the context was condensed: later replies were given without all earlier steps");
    }
    const state = text(field(event.fields, "agent_state"));
    if (state !== undefined && event.kind === "observation" && FINAL_STATES.has(state)) {
      this.#builder.outcome.exit_status = state;
    }
  }

  #action(event: OpenHandsEvent): void {
    const speaker = this.#speaker(event);
    if (event.type === "system") this.#system(event);
    else if (speaker === "user" && event.type === "message") this.#userMessage(event);
    else if (speaker === "user") this.#userAction(event);
    else if (event.type === "message") this.#agentMessage(event);
    else this.#agentAction(event);
    this.#lastSpeaker = speaker;
  }

  /** Flat events name no source: then messages alternate, beginning with the user. */
  #speaker(event: OpenHandsEvent): "user" | "agent" {
    if (event.source !== undefined)
      return event.source === "user" || this.#isForeign(event) ? "user" : "agent";
    if (event.type !== "message") return "agent";
    return this.#lastSpeaker === undefined || this.#lastSpeaker === "agent" ? "user" : "agent";
  }

  #isForeign(event: OpenHandsEvent): boolean {
    return event.source === "environment" && event.type !== "system";
  }

  #system(event: OpenHandsEvent): void {
    const { agentInfo } = this.#builder;
    const content = field(event.fields, "content");
    this.#builder.system({ content: content ?? field(event.raw, "message"), timestamp: eventTime(event) });
    const tools = records(field(event.fields, "tools"));
    if (tools.length > 0 && agentInfo.tool_definitions === undefined) {
      agentInfo.tool_definitions = tools.map((tool) => ({ ...tool }));
    } else if (tools.length > 0)
      this.#builder.drop("events[*].args.tools", "tools of a later system message");
    const version = filled(field(event.fields, "openhands_version"));
    if (version !== undefined) agentInfo.version = version;
    const agentClass = filled(field(event.fields, "agent_class"));
    if (agentClass !== undefined) agentInfo.extra = { ...agentInfo.extra, agent_class: agentClass };
  }

  #userMessage(event: OpenHandsEvent): void {
    const { task } = this.#builder;
    const content = messageContent(event);
    const role = event.source === "environment" ? { extra: { role: "environment" } } : {};
    this.#builder.user({ content, timestamp: eventTime(event), ...role });
    const said = text(field(event.fields, "content"));
    if (task.description === undefined && said !== undefined && said !== "") task.description = said;
    const id = label(field(event.fields, "task_id"));
    if (task.id === undefined && id !== undefined) task.id = id;
  }

  /** Something the user did in the agent's workspace: not the agent's call, but part of what it saw. */
  #userAction(event: OpenHandsEvent): void {
    const step = this.#builder.user({
      content: text(event.raw["message"]) ?? "",
      timestamp: eventTime(event),
      extra: { native: { action: event.type, args: event.fields } },
    });
    const placed = { type: event.type, step, callId: undefined };
    if (event.id !== undefined) this.#byEvent.set(event.id, placed);
    this.#open.add(placed);
  }

  #agentMessage(event: OpenHandsEvent): void {
    const reply = this.#reply(event);
    this.#lastAgent = this.#builder.agent({
      content: messageContent(event),
      timestamp: eventTime(event),
      ...replyFields(event, reply, this.#isCounted(reply)),
      ...this.#extra(reply),
    });
    if (reply?.id !== undefined && !this.#replies.has(reply.id)) this.#replies.set(reply.id, new Map());
  }

  #agentAction(event: OpenHandsEvent): void {
    const nativeId = nativeCallId(event);
    const reply = this.#reply(event);
    const calls = reply?.id === undefined ? undefined : this.#replies.get(reply.id);
    const said = nativeId === undefined ? undefined : calls?.get(nativeId);
    const placed = said === undefined ? this.#newStep(event, reply) : { ...said, type: event.type };
    if (event.id !== undefined) this.#byEvent.set(event.id, placed);
    if (nativeId !== undefined) this.#byCall.set(nativeId, placed);
    this.#open.add(placed);
    if (event.type === "delegate") {
      this.#delegates.push({ agent: label(field(event.fields, "agent")) ?? "unnamed", placed });
      this.#builder.note("the steps of delegate agents stand inline");
    } else if (isEnd(event) && this.#delegates.length === 0) applyEnd(event, this.#builder.outcome);
  }

  /** One step per reply of the model, with all calls that the reply holds. */
  #newStep(event: OpenHandsEvent, reply: ModelReply | undefined): Placed {
    const nativeId = nativeCallId(event);
    const index = reply?.calls.findIndex((call) => label(call.id) === nativeId) ?? -1;
    const whole = reply !== undefined && nativeId !== undefined && index >= 0 && !this.#isCounted(reply);
    const calls = whole ? reply.calls : [mappedCall(event, nativeId)];
    const step = this.#builder.agent({
      content: whole ? reply.content : actionMessage(event),
      timestamp: eventTime(event),
      calls,
      ...replyFields(event, reply, this.#isCounted(reply)),
      ...this.#extra(reply),
    });
    this.#lastAgent = step;
    const placed = (step.tool_calls ?? []).map(
      (call): Placed => ({ type: "", step, callId: call.tool_call_id }),
    );
    const named = new Map<string, Placed>();
    for (const [order, call] of calls.entries()) {
      const id = label(call.id);
      const place = placed[order];
      if (id === undefined || place === undefined || named.has(id)) continue;
      named.set(id, place);
      this.#byCall.set(id, place);
    }
    if (reply?.id !== undefined && !this.#replies.has(reply.id)) this.#replies.set(reply.id, named);
    const own = placed[whole ? index : 0];
    return { type: event.type, step, callId: own?.callId };
  }

  #isCounted(reply: ModelReply | undefined): boolean {
    return reply?.id !== undefined && this.#replies.has(reply.id);
  }

  #reply(event: OpenHandsEvent): ModelReply | undefined {
    const response = at(event.raw, "tool_call_metadata", "model_response");
    if (response === undefined || response === null) return undefined;
    const reply = readReply(response, this.#builder);
    if (reply?.model !== undefined && this.#builder.agentInfo.model_name === undefined) {
      this.#builder.agentInfo.model_name = reply.model;
    }
    return reply;
  }

  #observation(event: OpenHandsEvent): void {
    const delegate = event.type === "delegate" ? this.#delegates.pop() : undefined;
    const answered = this.#answered(event) ?? delegate?.placed ?? this.#unrecordedCall(event);
    const step = answered?.step ?? this.#lastAgent;
    const extra = observationExtra(event, this.#builder);
    const orphan = answered === undefined ? nativeCallId(event) : undefined;
    if (answered === undefined) this.#builder.note("an observation answers no action of the log");
    else this.#open.answer(answered);
    this.#builder.result({
      content: observationContent(event),
      extra: orphan === undefined ? extra : { ...extra, orphan_call_id: orphan },
      ...(step === undefined ? {} : { step }),
      ...(answered?.callId === undefined ? {} : { callId: answered.callId }),
    });
  }

  /** By `cause`, else by the call's id; only where an observation has neither, by its kind. */
  #answered(event: OpenHandsEvent): Placed | undefined {
    const action = event.cause === undefined ? undefined : this.#byEvent.get(event.cause);
    if (action !== undefined) return action;
    const nativeId = nativeCallId(event);
    if (nativeId !== undefined) return this.#byCall.get(nativeId);
    if (event.cause !== undefined || event.type === "delegate") return undefined;
    return this.#open.first(event.type) ?? this.#open.only();
  }

  /** A call that failed before it became an action stands only in the reply kept beside the error. */
  #unrecordedCall(event: OpenHandsEvent): Placed | undefined {
    const nativeId = nativeCallId(event);
    const reply = nativeId === undefined ? undefined : this.#reply(event);
    if (reply === undefined || this.#isCounted(reply)) return undefined;
    return reply.calls.some((call) => label(call.id) === nativeId) ? this.#newStep(event, reply) : undefined;
  }

  #extra(reply: ModelReply | undefined): Pick<AgentInput, "extra"> {
    const delegate = this.#delegates.at(-1)?.agent;
    const extra = {
      ...(reply?.signatures === undefined ? {} : { signatures: reply.signatures }),
      ...(delegate === undefined ? {} : { native: { delegate } }),
    };
    return Object.keys(extra).length === 0 ? {} : { extra };
  }
}
