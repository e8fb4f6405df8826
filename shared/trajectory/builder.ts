import { readArguments } from "./arguments.ts";
import { blobPath, type ContentSink, readContent } from "./content.ts";
import type { Attachment, Draft } from "./draft.ts";
import { ConversionError } from "./format.ts";
import type { CallExtra, Fidelity, Outcome, ResultExtra, StepExtra, Task } from "./gymline-extra.ts";
import type { AtifTrajectory, Metrics, ObservationResult, Step, ToolCall } from "./schema.ts";
import { isoTimestamp } from "./timestamp.ts";

export interface MessageInput {
  /** String or provider content parts. */
  readonly content: unknown;
  readonly timestamp?: unknown;
  readonly extra?: StepExtra;
}

export interface CallInput {
  readonly id?: unknown;
  readonly name: string;
  /** Object, or the JSON text the provider gave. */
  readonly arguments: unknown;
  /** `text`: parsed out of the message, which still holds it. */
  readonly from?: "native" | "text";
  readonly native?: Record<string, unknown>;
}

export interface AgentInput extends MessageInput {
  readonly reasoning?: string;
  readonly calls?: readonly CallInput[];
  readonly model?: string;
  readonly metrics?: Metrics;
  readonly copied?: boolean;
  readonly modelCalls?: number;
}

export interface ResultInput {
  /** Id of the call this answers; undefined where the source has no ids: then the last agent step is answered. */
  readonly callId?: unknown;
  /** The agent step this belongs to, where the source says so by other means than call ids. */
  readonly step?: Step;
  readonly content: unknown;
  readonly extra?: ResultExtra;
}

interface PlacedCall {
  readonly step: Step;
  readonly call: ToolCall;
}

/**
 * Builds one trajectory in source order. It owns what all formats share: step numbers, unique call ids,
 * pairing of results with calls by id (a result may come late, twice, or for a call that is not in the log),
 * attachments, and the account of what was dropped.
 */
export class TrajectoryBuilder implements ContentSink {
  readonly task: Task = {};
  readonly outcome: Outcome = { success: null };
  readonly agentInfo: AtifTrajectory["agent"] = { name: "unknown", version: "unknown" };
  readonly document: Pick<
    AtifTrajectory,
    "notes" | "final_metrics" | "subagent_trajectories" | "trajectory_id"
  > = {};
  readonly metadata: Record<string, unknown> = {};
  session: string | undefined;
  domain: string | undefined;
  startedAt: string | undefined;
  truncated = false;
  readonly #steps: Step[] = [];
  readonly #attachments = new Map<string, Attachment>();
  readonly #dropped = new Map<string, { path: string; reason: string; count: number }>();
  readonly #notes = new Set<string>();
  /** Calls by the id the source gave: the unanswered ones, latest last, and the latest of all. */
  readonly #calls = new Map<string, { open: PlacedCall[]; latest: PlacedCall }>();
  #lastAgent: Step | undefined;
  #tokenSteps = 0;

  get stepCount(): number {
    return this.#steps.length;
  }

  /** The step added last; converters may complete it. */
  get lastStep(): Step | undefined {
    return this.#steps.at(-1);
  }

  attach(attachment: Attachment): string {
    const { sha256, path } = blobPath(attachment.bytes);
    this.#attachments.set(sha256, attachment);
    return path;
  }

  /** Says that something of the source has no place here. `path`: place in the source, `*` for any index. */
  drop(path: string, reason: string, count = 1): void {
    const key = `${path}\n${reason}`;
    const entry = this.#dropped.get(key);
    if (entry === undefined) this.#dropped.set(key, { path, reason, count });
    else entry.count += count;
  }

  /** A remark that is no loss. */
  note(text: string): void {
    this.#notes.add(text);
  }

  system(input: MessageInput): Step {
    return this.#message("system", input);
  }

  user(input: MessageInput): Step {
    return this.#message("user", input);
  }

  agent(input: AgentInput): Step {
    const step = this.#message("agent", input);
    this.#lastAgent = step;
    if (input.reasoning !== undefined && input.reasoning !== "") step.reasoning_content = input.reasoning;
    if (input.model !== undefined) step.model_name = input.model;
    if (input.copied === true) step.is_copied_context = true;
    if (input.modelCalls !== undefined) step.llm_call_count = input.modelCalls;
    if (input.metrics !== undefined && Object.keys(input.metrics).length > 0) step.metrics = input.metrics;
    if (step.metrics?.completion_token_ids) this.#tokenSteps += 1;
    if (input.calls !== undefined && input.calls.length > 0) {
      const taken = new Set<string>();
      step.tool_calls = input.calls.map((call, index) => this.#call(step, call, { index, taken }));
    }
    return step;
  }

  /** Adds an observation; pairs by id where there is one. */
  result(input: ResultInput): void {
    const id = textOf(input.callId);
    const content = readContent(input.content, "result.content", this);
    const extra: ResultExtra = { ...input.extra };
    if (input.step !== undefined) {
      this.#addToStep(input.step, id, { content, extra });
      return;
    }
    if (id === undefined) {
      const calls = this.#lastAgent?.tool_calls ?? [];
      const single = calls.length === 1 ? calls[0] : undefined;
      if (single !== undefined) this.#close(single);
      this.#addResult(
        this.#lastAgent,
        { ...(single ? { source_call_id: single.tool_call_id } : {}), content },
        extra,
      );
      return;
    }
    const known = this.#calls.get(id);
    if (known === undefined) {
      this.note("a tool result answers a call that is not in the log");
      this.#addResult(this.#lastAgent, { content }, { ...extra, orphan_call_id: id });
      return;
    }
    const open = known.open.pop();
    if (open === undefined) this.note("a tool call has more than one result");
    const { step, call } = open ?? known.latest;
    this.#addResult(step, { source_call_id: call.tool_call_id, content }, extra);
  }

  /**
   * @throws ConversionError where there is no step at all.
   */
  build(variant: string): Draft {
    if (this.#steps.length === 0) {
      throw new ConversionError({
        code: "no-steps",
        jsonPath: "$",
        reason: "the log holds no message, action or observation",
        remedy: "drop the complete log; a run that was stopped before its first message cannot be used",
      });
    }
    const agentSteps = this.#steps.filter((step) => step.source === "agent").length;
    const fidelity: Fidelity = {
      tokens: agentSteps > 0 && this.#tokenSteps === agentSteps ? "token_exact" : "text_only",
      dropped: [...this.#dropped.values()],
      notes: [...this.#notes],
    };
    return {
      document: {
        ...(this.session === undefined ? {} : { session_id: this.session }),
        ...this.document,
        agent: this.agentInfo,
        steps: this.#steps,
      },
      variant,
      ...(this.session === undefined ? {} : { session: this.session }),
      ...(this.domain === undefined ? {} : { domain: this.domain }),
      task: this.task,
      outcome: this.outcome,
      fidelity,
      ...(this.startedAt === undefined ? {} : { startedAt: this.startedAt }),
      ...(Object.keys(this.metadata).length === 0 ? {} : { metadata: this.metadata }),
      attachments: this.#attachments,
      ...(this.truncated ? { truncated: true } : {}),
    };
  }

  #message(source: Step["source"], input: MessageInput): Step {
    const timestamp = isoTimestamp(input.timestamp);
    if (timestamp === undefined && input.timestamp !== undefined && input.timestamp !== null) {
      this.drop("timestamp", "not a point in time that ATIF can hold");
    }
    const step: Step = {
      step_id: this.#steps.length + 1,
      ...(timestamp === undefined ? {} : { timestamp }),
      source,
      message: readContent(input.content, "message.content", this),
    };
    if (input.extra !== undefined && Object.keys(input.extra).length > 0)
      step.extra = { gymline: input.extra };
    if (timestamp !== undefined && this.startedAt === undefined) this.startedAt = timestamp;
    this.#steps.push(step);
    return step;
  }

  #call(
    step: Step,
    input: CallInput,
    place: { readonly index: number; readonly taken: Set<string> },
  ): ToolCall {
    const { index, taken } = place;
    const given = textOf(input.id);
    let id = given ?? `call_${step.step_id}_${index + 1}`;
    const native: Record<string, unknown> = { ...input.native };
    if (taken.has(id)) {
      this.note("two calls of one step had the same id");
      native["id"] = id;
      id = `${id}#${index + 1}`;
    }
    taken.add(id);
    const { parsed, raw, problem } = readArguments(input.arguments);
    if (problem !== undefined) this.note(`tool call ${problem}; the text is kept as raw_arguments`);
    const extra: CallExtra = {
      ...(input.from === "text" ? { from: "text" as const } : {}),
      ...(raw === undefined ? {} : { raw_arguments: raw }),
      ...(Object.keys(native).length === 0 ? {} : { native }),
    };
    const call: ToolCall = { tool_call_id: id, function_name: input.name, arguments: parsed };
    if (Object.keys(extra).length > 0) call.extra = { gymline: extra };
    const placed = { step, call };
    const known = this.#calls.get(given ?? id);
    if (known === undefined) this.#calls.set(given ?? id, { open: [placed], latest: placed });
    else {
      known.open.push(placed);
      known.latest = placed;
    }
    return call;
  }

  /** A result whose step is known: for the call of that id (as the document has it), else for none. */
  #addToStep(
    step: Step,
    id: string | undefined,
    result: { readonly content: ObservationResult["content"]; readonly extra: ResultExtra },
  ): void {
    const call = step.tool_calls?.find((candidate) => candidate.tool_call_id === id);
    if (call !== undefined) {
      this.#close(call);
      if (
        step.observation?.results.some((earlier) => earlier.source_call_id === call.tool_call_id) === true
      ) {
        this.note("a tool call has more than one result");
      }
    }
    this.#addResult(
      step,
      { ...(call === undefined ? {} : { source_call_id: call.tool_call_id }), content: result.content },
      result.extra,
    );
  }

  #close(call: ToolCall): void {
    const known = this.#calls.get(call.tool_call_id);
    if (known?.latest.call === call && known.open.at(-1)?.call === call) known.open.pop();
  }

  /** A result before any agent step is environment feedback: it becomes an observation of its own step. */
  #addResult(step: Step | undefined, result: ObservationResult, extra: ResultExtra): void {
    if (Object.keys(extra).length > 0) result.extra = { gymline: extra };
    const target = step ?? this.#message("system", { content: "" });
    if (target.observation) target.observation.results.push(result);
    else target.observation = { results: [result] };
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  return typeof value === "number" && Number.isFinite(value) ? String(value) : undefined;
}
