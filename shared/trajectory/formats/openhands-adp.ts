import type { TrajectoryBuilder } from "../builder.ts";
import type { Step } from "../schema.ts";
import { textFacts } from "./openhands-messages.ts";
import { field, filled, has, type JsonRecord, record, text } from "./read.ts";

/**
 * OpenHands runs in the form of the Agent Data Protocol (arXiv:2510.24702): a list of text or web observations
 * and of actions, which are a function call, a piece of code or a message.
 */
type AdpKind = "observation" | "call" | "code" | "message";

export function adpKind(value: unknown): AdpKind | undefined {
  const item = record(value);
  if (item === undefined || has(item, "role")) return undefined;
  const name = text(field(item, "class_"));
  if (name?.endsWith("_observation") === true) return "observation";
  if (text(field(item, "function")) !== undefined && has(item, "kwargs")) return "call";
  const said = text(field(item, "content")) !== undefined;
  if (said && text(field(item, "language")) !== undefined) return "code";
  return said && (has(item, "description") || name === "message_action") ? "message" : undefined;
}

/** Native names of OpenHands' tools that run code. */
const CODE_TOOLS: ReadonlyMap<string, readonly [name: string, parameter: string]> = new Map([
  ["bash", ["execute_bash", "command"]],
  ["python", ["execute_ipython_cell", "code"]],
]);

const LAST_CALLS = new Set(["finish", "submit"]);

/** Calls that wait for their results, which come in the order of the calls. */
interface Waiting {
  readonly step: Step;
  readonly name: string;
}

export function convertAdp(values: readonly unknown[], builder: TrajectoryBuilder): void {
  const waiting: Waiting[] = [];
  let answeredCalls = 0;
  for (const value of values) {
    const item = record(value);
    const kind = adpKind(value);
    if (item === undefined || kind === undefined) builder.drop("content[*]", "not an action or observation");
    else if (kind === "observation") {
      const next = waiting[answeredCalls];
      const answered = next !== undefined && isResult(item, next) ? next : undefined;
      if (answered !== undefined) answeredCalls += 1;
      convertObservation(item, answered?.step, builder);
    } else {
      const step = convertAction(item, kind, builder);
      const name = step?.tool_calls?.[0]?.function_name;
      if (step !== undefined && name !== undefined && !LAST_CALLS.has(name)) waiting.push({ step, name });
    }
  }
}

/** A result that came as a user message names its tool first: `[tool] …`. */
function isResult(item: JsonRecord, next: Waiting): boolean {
  const source = field(item, "source");
  if (source === "system") return false;
  return source !== "user" || text(field(item, "content"))?.startsWith(`[${next.name}] `) === true;
}

function convertObservation(item: JsonRecord, answered: Step | undefined, builder: TrajectoryBuilder): void {
  const content = field(item, "content");
  const source = text(field(item, "source"));
  if (source === "system") {
    builder.system({ content });
    return;
  }
  if (answered === undefined && source === "user") {
    builder.user({ content });
    const said = text(content);
    if (builder.task.description === undefined && said !== undefined) builder.task.description = said;
    return;
  }
  if (field(item, "class_") === "web_observation") {
    builder.drop("content[*] (web_observation)", "only the text of a page is kept");
  }
  const seen = content ?? field(item, "axtree") ?? field(item, "url");
  builder.result({
    content: seen,
    ...(answered === undefined ? {} : { step: answered, callId: answered.tool_calls?.[0]?.tool_call_id }),
    extra: { ...textFacts(seen), ...(source === undefined ? {} : { role: source }) },
  });
}

function convertAction(
  item: JsonRecord,
  kind: Exclude<AdpKind, "observation">,
  builder: TrajectoryBuilder,
): Step {
  const thought = filled(field(item, "description")) ?? "";
  if (kind === "message") {
    return builder.agent({
      content: field(item, "content"),
      ...(thought === "" ? {} : { extra: { thought } }),
    });
  }
  if (kind === "code") {
    const language = text(field(item, "language")) ?? "";
    const [name, parameter] = CODE_TOOLS.get(language) ?? [language === "" ? "code" : language, "code"];
    const code = field(item, "content");
    return builder.agent({ content: thought, calls: [{ name, arguments: { [parameter]: code } }] });
  }
  const name = filled(field(item, "function")) ?? "unknown";
  return builder.agent({ content: thought, calls: [{ name, arguments: field(item, "kwargs") }] });
}
