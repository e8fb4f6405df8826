import { TrajectoryBuilder } from "../builder.ts";
import type { Draft } from "../draft.ts";
import { ConversionError, type Detection, type Format, type FormatInput } from "../format.ts";
import type { Metrics } from "../schema.ts";
import { isoTimestamp } from "../timestamp.ts";
import {
  count,
  field,
  filled,
  type JsonRecord,
  keepRest,
  list,
  nearness,
  record,
  records,
  rest,
  text,
} from "./read.ts";

/**
 * Session logs of crew agents: one event per line, `start`, `message` and `end`. An employee session is one
 * dialogue; in a pipeline every `step` message is the prompt of one employee, whose replies follow it.
 */
export const crew: Format = {
  name: "crew",
  description: "crew session logs: one start, message or end event per line",
  version: "1",
  detect,
  isPart,
  convert,
};

function isPart(value: unknown): boolean {
  const kind = text(field(value, "event"));
  if (kind === "start") return filled(field(value, "session_type")) !== undefined;
  if (kind === "message") return filled(field(value, "role")) !== undefined;
  if (kind === "end") return filled(field(value, "status")) !== undefined;
  return kind === "project_info";
}

function detect(value: unknown): Detection {
  const [first, second] = list(value) ?? [];
  const starts = text(field(first, "event")) === "start";
  const type = filled(field(first, "session_type"));
  if (starts && type !== undefined) {
    return { match: true, variant: type === "pipeline" ? "pipeline" : "employee" };
  }
  return nearness([
    [isPart(first) || isPart(second), "$[*].event"],
    [starts, "$[0].event = start"],
    [type !== undefined, "$[0].session_type"],
  ]);
}

interface Session {
  readonly start: JsonRecord;
  readonly pipeline: boolean;
  readonly subject: string;
  readonly metadata: JsonRecord;
}

function convert(input: FormatInput): readonly Draft[] {
  const sessions = splitSessions(records(input.value)).filter((events) => events.some(isReply));
  if (sessions.length === 0) {
    throw new ConversionError({
      code: "no-agent-message",
      jsonPath: "$[*].role",
      reason: "the session holds no reply of an assistant",
      remedy: "drop a session in which the agent answered; this one has nothing to learn from",
    });
  }
  return sessions.map((events, index) => {
    const name = index === 0 || input.stem === "" ? input.stem : `${input.stem}/${index + 1}`;
    return convertSession(events, { name, variant: input.variant });
  });
}

function isReply(event: JsonRecord): boolean {
  return (
    text(field(event, "event")) === "message" && text(field(event, "role")) === "assistant" && !isEmpty(event)
  );
}

function isEmpty(event: JsonRecord): boolean {
  const content = field(event, "content");
  return content === undefined || content === null || content === "";
}

/** A file may hold several sessions one after the other: each begins with its `start` event. */
function splitSessions(events: readonly JsonRecord[]): readonly (readonly JsonRecord[])[] {
  const sessions: JsonRecord[][] = [[]];
  for (const event of events) {
    const current = sessions.at(-1);
    if (current === undefined || (text(field(event, "event")) === "start" && current.length > 0)) {
      sessions.push([event]);
    } else current.push(event);
  }
  return sessions;
}

function convertSession(
  events: readonly JsonRecord[],
  named: { readonly name: string; readonly variant: string },
): Draft {
  const start = events.find((event) => text(field(event, "event")) === "start") ?? {};
  const session: Session = {
    start,
    pipeline: text(field(start, "session_type")) === "pipeline",
    subject: filled(field(start, "subject")) ?? "unknown",
    metadata: record(field(start, "metadata")) ?? {},
  };
  const builder = new TrajectoryBuilder();
  describe(session, builder, named.name);
  addMessages(events, session, builder);
  readEnd(events, builder);
  return builder.build(named.variant);
}

function describe(session: Session, builder: TrajectoryBuilder, stem: string): void {
  const { start, pipeline, subject, metadata } = session;
  const args = record(field(metadata, pipeline ? "initial_args" : "args")) ?? {};
  builder.agentInfo.name = pipeline ? `crew/pipeline/${subject}` : `crew/${subject}`;
  builder.domain = "crew";
  builder.startedAt = isoTimestamp(field(start, "timestamp"));
  // The log names neither task nor session: the file does, one file to a session.
  if (stem !== "") {
    builder.task.id = stem;
    builder.session = stem;
  }
  const goal = pipeline ? undefined : (filled(field(args, "target")) ?? filled(field(args, "goal")));
  builder.task.description = goal ?? subject;
  if (Object.keys(args).length > 0) builder.task.metadata = { args };
  builder.metadata[pipeline ? "pipeline" : "employee"] = subject;
  builder.metadata["session_type"] = filled(field(start, "session_type")) ?? "employee";
  keepRest({ value: metadata, used: ["args", "initial_args"], path: "$[0].metadata", sink: builder });
  keepRest({
    value: start,
    used: ["event", "session_type", "subject", "timestamp", "metadata"],
    path: "$[0]",
    sink: builder,
  });
}

interface Assignment {
  readonly employee: string;
  readonly args: JsonRecord | undefined;
}

function addMessages(events: readonly JsonRecord[], session: Session, builder: TrajectoryBuilder): void {
  let assignment: Assignment | undefined;
  let answered = true;
  let steps = 0;
  const totals = { prompt: 0, completion: 0 };
  for (const event of events) {
    const kind = text(field(event, "event"));
    if (kind !== "message") {
      if (kind !== "start" && kind !== "end") builder.drop("$[*]", "an event that is no message");
      continue;
    }
    const role = filled(field(event, "role"));
    const metadata = record(field(event, "metadata")) ?? {};
    if (role !== "assistant") {
      if (role === "step") {
        if (!answered) builder.note("a pipeline step has no reply");
        answered = false;
        const employee = filled(field(metadata, "employee")) ?? `step-${steps}`;
        assignment = { employee, args: record(field(metadata, "args")) };
        steps += 1;
      }
      addPrompt(event, { role, metadata }, builder);
      continue;
    }
    const metrics = tokensOf(metadata);
    totals.prompt += metrics.prompt_tokens ?? 0;
    totals.completion += metrics.completion_tokens ?? 0;
    if (isEmpty(event)) {
      builder.drop("$[*].content", "an empty reply; its tokens are in the totals");
      continue;
    }
    answered = true;
    addReply(event, { metadata, metrics, assignment: session.pipeline ? assignment : undefined }, builder);
  }
  if (!answered) builder.note("a pipeline step has no reply");
  if (totals.prompt + totals.completion > 0) {
    builder.document.final_metrics = {
      total_prompt_tokens: totals.prompt,
      total_completion_tokens: totals.completion,
    };
  }
}

function addPrompt(
  event: JsonRecord,
  facts: { readonly role: string | undefined; readonly metadata: JsonRecord },
  builder: TrajectoryBuilder,
): void {
  const { role, metadata } = facts;
  const { kept, large } = rest(metadata, []);
  if (large.length > 0)
    builder.drop("$[*].metadata.*", "a large field of a message's metadata", large.length);
  const plain = role === "user" || role === "system" || role === undefined;
  const native = { ...(plain ? {} : { role }), ...kept };
  const message = {
    content: field(event, "content"),
    timestamp: field(event, "timestamp"),
    extra: Object.keys(native).length === 0 ? {} : { native },
  };
  if (role === "system") builder.system(message);
  else builder.user(message);
}

function addReply(
  event: JsonRecord,
  facts: {
    readonly metadata: JsonRecord;
    readonly metrics: Metrics;
    readonly assignment: Assignment | undefined;
  },
  builder: TrajectoryBuilder,
): void {
  const { metadata, metrics, assignment } = facts;
  const model = filled(field(metadata, "model"));
  if (model !== undefined) builder.agentInfo.model_name = model;
  const { kept, large } = rest(metadata, ["model", "input_tokens", "output_tokens"]);
  if (large.length > 0)
    builder.drop("$[*].metadata.*", "a large field of a message's metadata", large.length);
  const native = {
    ...(assignment === undefined ? {} : { employee: assignment.employee }),
    ...(assignment?.args === undefined ? {} : { args: assignment.args }),
    ...kept,
  };
  builder.agent({
    content: field(event, "content"),
    timestamp: field(event, "timestamp"),
    metrics,
    ...(model === undefined ? {} : { model }),
    ...(Object.keys(native).length === 0 ? {} : { extra: { native } }),
  });
}

function tokensOf(metadata: JsonRecord): Metrics {
  const input = count(field(metadata, "input_tokens"));
  const output = count(field(metadata, "output_tokens"));
  return {
    ...(input === undefined ? {} : { prompt_tokens: input }),
    ...(output === undefined ? {} : { completion_tokens: output }),
  };
}

/** A session succeeded only if its first `end` event says that it was completed; without one it broke off. */
function readEnd(events: readonly JsonRecord[], builder: TrajectoryBuilder): void {
  const end = events.find((event) => text(field(event, "event")) === "end");
  const status = filled(field(end, "status"));
  builder.outcome.success = status === "completed";
  builder.outcome.label_source = "end.status";
  if (status !== undefined) builder.outcome.exit_status = status;
  if (end === undefined) {
    builder.truncated = true;
    builder.note("the session has no end event, so it counts as not completed");
    return;
  }
  const { kept, large } = rest(end, ["event", "status", "timestamp"]);
  if (Object.keys(kept).length > 0) builder.outcome.metadata = kept;
  if (large.length > 0) builder.drop("$[*].*", "a large field of the end event", large.length);
}
