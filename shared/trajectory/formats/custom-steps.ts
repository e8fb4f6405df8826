import type { CallInput, MessageInput, TrajectoryBuilder } from "../builder.ts";
import { ConversionError } from "../format.ts";
import type { ResultExtra, StepExtra } from "../gymline-extra.ts";
import type { Metrics } from "../schema.ts";
import type { CustomMapping, MessagesStyle, StepsStyle } from "./custom-mapping.ts";
import { parsePath, readAll, readFirst, type Segment, shownPath } from "./custom-path.ts";
import { leftovers, placesOf, type ReadPlaces } from "./custom-rest.ts";
import { count, filled, integer, label, setOwn, text } from "./read.ts";

/** A path as the mapping gives it; the mapping's schema has checked it. */
export function compiled(path: string | undefined): readonly Segment[] | undefined {
  return path === undefined ? undefined : (parsePath(path) ?? []);
}

/** Reads the values of one element through the paths of a mapping's `content`. */
class Element {
  readonly #value: unknown;
  readonly #paths: ReadonlyMap<string, readonly Segment[]>;

  constructor(value: unknown, paths: ReadonlyMap<string, readonly Segment[]>) {
    this.#value = value;
    this.#paths = paths;
  }

  get(name: string): unknown {
    const path = this.#paths.get(name);
    return path === undefined ? undefined : readFirst(this.#value, path);
  }
}

export type ElementReader = (value: unknown, builder: TrajectoryBuilder) => void;

/** Fields of `content` that are no paths from the element. */
const NO_ELEMENT_PATH = new Set(["style", "path", "where", "roles", "calls", "params"]);

/** Prepares the paths once; the reader adds one element to a trajectory. */
export function elementReader(mapping: CustomMapping): ElementReader {
  const { content } = mapping;
  const paths = new Map<string, readonly Segment[]>();
  for (const [name, path] of Object.entries(content)) {
    if (typeof path === "string" && !NO_ELEMENT_PATH.has(name)) paths.set(name, compiled(path) ?? []);
  }
  const whole = [...paths.values()];
  if (content.style === "messages") {
    const calls = content.calls === undefined ? undefined : callPaths(content.calls);
    if (calls !== undefined)
      for (const path of [calls.id, calls.name, calls.arguments])
        if (path) whole.push([...calls.path, ...path]);
    const places = placesOf(whole);
    const roles = new Map(Object.entries(content.roles));
    return (value, builder) => {
      const element = new Element(value, paths);
      addMessage({ element, value, places, roles, calls, mapping: mapping.name, content }, builder);
    };
  }
  const params = paramPaths(content.params);
  whole.push(...params.map(([, path]) => path));
  const places = placesOf(whole);
  return (value, builder) =>
    addStep({ element: new Element(value, paths), value, places, params, content }, builder);
}

interface CallPaths {
  readonly path: readonly Segment[];
  readonly id: readonly Segment[] | undefined;
  readonly name: readonly Segment[];
  readonly arguments: readonly Segment[];
}

function callPaths(calls: NonNullable<MessagesStyle["calls"]>): CallPaths {
  return {
    path: compiled(calls.path) ?? [],
    id: compiled(calls.id),
    name: compiled(calls.name) ?? [],
    arguments: compiled(calls.arguments) ?? [],
  };
}

interface MessageFacts {
  readonly element: Element;
  readonly value: unknown;
  readonly places: ReadPlaces;
  readonly roles: ReadonlyMap<string, MessagesStyle["roles"][string]>;
  readonly calls: CallPaths | undefined;
  readonly mapping: string;
  readonly content: MessagesStyle;
}

function addMessage(facts: MessageFacts, builder: TrajectoryBuilder): void {
  const { element, content } = facts;
  const source = facts.roles.get(label(element.get("role")) ?? "");
  if (source === undefined) {
    throw new ConversionError({
      code: "unmapped-role",
      jsonPath: shownPath(content.path),
      reason: "a message has a role that the mapping does not name, or none",
      remedy: `add the role to content.roles of the mapping "${facts.mapping}" ("skip" leaves such messages out)`,
    });
  }
  if (source === "skip") {
    builder.drop(shownPath(content.path), "a message that the mapping leaves out");
    return;
  }
  const native = nativeRest(facts.value, facts.places, { builder, path: content.path });
  const message: MessageInput = { content: element.get("content"), timestamp: element.get("timestamp") };
  if (source === "result") {
    const name = filled(element.get("tool_name"));
    const extra = { ...resultExtra(element, native), ...(name === undefined ? {} : { name }) };
    builder.result({ callId: element.get("call_id"), content: message.content, extra });
  } else if (source === "agent") {
    const found = facts.calls === undefined ? [] : readAll(facts.value, facts.calls.path);
    const calls = found.map((call) => readCall(call, facts.calls)).filter((call) => call !== undefined);
    builder.agent({ ...message, ...agentFacts(element, native), calls });
  } else builder[source]({ ...message, extra: native === undefined ? {} : { native } });
}

function readCall(call: unknown, paths: CallPaths | undefined): CallInput | undefined {
  if (paths === undefined) return undefined;
  return {
    ...(paths.id === undefined ? {} : { id: readFirst(call, paths.id) }),
    name: label(readFirst(call, paths.name)) ?? "unknown",
    arguments: readFirst(call, paths.arguments),
  };
}

function addStep(
  facts: {
    readonly element: Element;
    readonly value: unknown;
    readonly places: ReadPlaces;
    readonly params: readonly (readonly [string, readonly Segment[]])[];
    readonly content: StepsStyle;
  },
  builder: TrajectoryBuilder,
): void {
  const { element, value, content } = facts;
  const native = nativeRest(value, facts.places, { builder, path: content.path });
  const tool = label(element.get("tool"));
  const id = element.get("call_id");
  const call: CallInput | undefined =
    tool === undefined ? undefined : { id, name: tool, arguments: readParams(value, facts.params) };
  builder.agent({
    content: element.get("message") ?? element.get("thought") ?? "",
    timestamp: element.get("timestamp"),
    ...agentFacts(element, native),
    calls: call === undefined ? [] : [call],
  });
  const output = element.get("output");
  const extra = resultExtra(element, undefined);
  if (output === undefined && Object.keys(extra).length === 0) return;
  builder.result({ callId: undefined, content: output, extra });
}

/** One path for all arguments stands under the empty name. */
function paramPaths(params: StepsStyle["params"]): readonly (readonly [string, readonly Segment[]])[] {
  if (params === undefined) return [];
  if (typeof params === "string") return [["", compiled(params) ?? []]];
  return Object.entries(params).map(([name, path]) => [name, compiled(path) ?? []]);
}

function readParams(value: unknown, params: readonly (readonly [string, readonly Segment[]])[]): unknown {
  const [first] = params;
  if (first === undefined) return {};
  if (first[0] === "") return readFirst(value, first[1]);
  const read: Record<string, unknown> = {};
  for (const [name, path] of params) {
    const param = readFirst(value, path);
    if (param !== undefined) setOwn(read, name, param);
  }
  return read;
}

function agentFacts(element: Element, native: Record<string, unknown> | undefined) {
  const thought = filled(element.get("thought"));
  const reasoning = filled(element.get("reasoning"));
  const model = filled(element.get("model"));
  const prompt = count(element.get("prompt_tokens"));
  const completion = count(element.get("completion_tokens"));
  const extra: StepExtra = {
    ...(thought === undefined ? {} : { thought }),
    ...(native === undefined ? {} : { native }),
  };
  const metrics: Metrics = {
    ...(prompt === undefined ? {} : { prompt_tokens: prompt }),
    ...(completion === undefined ? {} : { completion_tokens: completion }),
  };
  return {
    extra,
    metrics,
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(model === undefined ? {} : { model }),
  };
}

function resultExtra(element: Element, native: Record<string, unknown> | undefined): ResultExtra {
  const exitCode = integer(element.get("exit_code"));
  const error = text(element.get("error"));
  return {
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    ...(error === undefined || error === "" ? {} : { error }),
    ...(native === undefined ? {} : { native }),
  };
}

/** What the mapping does not read of an element stays with the step, unless it is large. */
function nativeRest(
  value: unknown,
  places: ReadPlaces,
  sink: { readonly builder: TrajectoryBuilder; readonly path: string },
): Record<string, unknown> | undefined {
  const { kept, dropped } = leftovers(value, places);
  for (const path of dropped) {
    sink.builder.drop(
      `$.${sink.path}${path.slice(1)}`,
      "large or in a list, and the mapping does not read it",
    );
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}
