import type { z } from "zod";
import type { Draft } from "../draft.ts";
import { ConversionError, type Detection, type Format, type FormatInput } from "../format.ts";
import { type Fidelity, type GymlineExtra, gymlineExtraSchema } from "../gymline-extra.ts";
import { type AtifTrajectory, atifSchema } from "../schema.ts";
import { atifOutcome, atifTask } from "./atif-outcome.ts";
import { upgradeAtif } from "./atif-upgrade.ts";
import { at, field, integer, list, nearness, record, text } from "./read.ts";

/**
 * Harbor's Agent Trajectory Interchange Format, versions 1.0 to 1.8, and Gymline's own documents, which are ATIF
 * with our facts under `extra.gymline`: those come back in with task, labels and fidelity as they went out.
 */
export const atif: Format = {
  name: "atif",
  description: "ATIF v1.0 to v1.8 (Harbor), and Gymline's own trajectories",
  version: "1",
  detect,
  convert,
};

function detect(value: unknown): Detection {
  const version = text(field(value, "schema_version"));
  if (version?.startsWith("ATIF-") === true) {
    const own = record(at(value, "extra", "gymline")) !== undefined;
    return { match: true, variant: own ? "gymline" : /^ATIF-v\d+\.\d+$/.test(version) ? version : "ATIF" };
  }
  const [step] = list(field(value, "steps")) ?? [];
  return nearness([
    [false, '$.schema_version ("ATIF-v1.x")'],
    [record(field(value, "agent")) !== undefined, "$.agent"],
    [Object.hasOwn(record(step) ?? {}, "step_id"), "$.steps[*].step_id"],
    [Object.hasOwn(record(step) ?? {}, "source"), "$.steps[*].source"],
  ]);
}

class Account {
  readonly dropped: { path: string; reason: string; count: number }[] = [];
  readonly notes = new Set<string>();

  drop(path: string, reason: string): void {
    const known = this.dropped.find((entry) => entry.path === path && entry.reason === reason);
    if (known === undefined) this.dropped.push({ path, reason, count: 1 });
    else known.count += 1;
  }

  note(remark: string): void {
    this.notes.add(remark);
  }
}

function convert(input: FormatInput): readonly Draft[] {
  const source = record(input.value);
  const own = record(at(source, "extra", "gymline")) !== undefined;
  const copy: Record<string, unknown> = structuredClone({ ...source });
  const account = new Account();
  upgradeAtif(copy, account);
  checkAtif(copy);
  const { schema_version: _, ...document } = copy;
  const gymline = own ? takeOwnFacts(document) : undefined;
  const draft = gymline === undefined ? foreign(document) : ours(document, gymline);
  const fidelity: Fidelity = {
    ...draft.fidelity,
    dropped: [...draft.fidelity.dropped, ...account.dropped],
    notes: [...new Set([...draft.fidelity.notes, ...account.notes])],
  };
  return [{ ...draft, fidelity, variant: input.variant }];
}

type Document = Omit<AtifTrajectory, "schema_version">;

/** @throws ConversionError with the first place that is wrong. */
function checkAtif(
  value: Record<string, unknown>,
): asserts value is Record<string, unknown> & AtifTrajectory {
  const result = atifSchema.safeParse(value);
  if (result.success) return;
  const [issue] = result.error.issues;
  const path = issue === undefined ? "$" : jsonPath(issue.path);
  throw new ConversionError({
    code: "invalid-atif",
    jsonPath: path,
    reason: `${path}: ${issue === undefined ? "not valid ATIF" : problem(issue)}`,
    remedy: "correct the document (ATIF v1.8 as in Harbor's models) or drop the log it was made from",
  });
}

/** Never quotes values or unknown keys: both could be content. */
function problem(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? `missing, or no ${issue.expected}` : `expected ${issue.expected}`;
    case "unrecognized_keys":
      return `${issue.keys.length} field(s) that ATIF does not have; put them under "extra"`;
    case "invalid_union":
      return "neither a text nor a list of content parts that ATIF knows";
    default:
      return issue.message;
  }
}

function jsonPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((done, key) => {
    if (typeof key === "number") return `${done}[${key}]`;
    return /^[a-z_]\w{0,63}$/i.test(String(key)) ? `${done}.${String(key)}` : `${done}.*`;
  }, "$");
}

/** Takes `extra.gymline` out of the document, so that the pipeline can put its new one there. */
function takeOwnFacts(document: Document): GymlineExtra {
  const { gymline, ...others } = document.extra ?? {};
  const result = gymlineExtraSchema.safeParse(gymline);
  if (!result.success) {
    const [issue] = result.error.issues;
    const path = jsonPath(["extra", "gymline", ...(issue?.path ?? [])]);
    throw new ConversionError({
      code: "invalid-gymline-extra",
      jsonPath: path,
      reason: `${path}: ${issue === undefined ? "not valid" : problem(issue)}`,
      remedy: "drop the document as Gymline wrote it, or take extra.gymline out of it",
    });
  }
  if (Object.keys(others).length === 0) delete document.extra;
  else document.extra = others;
  // The value itself: zod leaves out `__proto__` keys, which metadata may have.
  return gymline as GymlineExtra;
}

function ours(document: Document, facts: GymlineExtra): Draft {
  return {
    document,
    variant: "gymline",
    ...(facts.session === undefined ? {} : { session: facts.session }),
    ...(facts.domain === undefined ? {} : { domain: facts.domain }),
    task: facts.task,
    outcome: facts.outcome,
    fidelity: facts.fidelity,
    ...(facts.started_at === undefined ? {} : { startedAt: facts.started_at }),
    ...(facts.metadata === undefined ? {} : { metadata: facts.metadata }),
    attachments: new Map(),
  };
}

function foreign(document: Document): Draft {
  const session = sessionOf(document);
  const startedAt = document.steps.find((step) => typeof step.timestamp === "string")?.timestamp;
  const turns = document.steps.filter((step) => step.source === "agent" && step.is_copied_context !== true);
  const exact =
    turns.length > 0 && turns.every((step) => (step.metrics?.completion_token_ids ?? null) !== null);
  const domain = text(field(document.extra, "domain"));
  return {
    document,
    variant: "ATIF",
    ...(session === undefined ? {} : { session }),
    ...(domain === undefined ? {} : { domain }),
    task: atifTask(document),
    outcome: atifOutcome(document),
    fidelity: { tokens: exact ? "token_exact" : "text_only", dropped: [], notes: [] },
    ...(typeof startedAt === "string" ? { startedAt } : {}),
    attachments: new Map(),
  };
}

/**
 * All documents of a run share `session_id`: sub-agents and continuations too. As the key under which a longer
 * log replaces a shorter one it needs what tells those apart.
 */
function sessionOf(document: Document): string | undefined {
  const session = document.session_id ?? undefined;
  if (session === undefined || session === "") return undefined;
  const segment = integer(field(document.agent.extra, "continuation_index"));
  if (typeof document.trajectory_id === "string") return `${session}/${document.trajectory_id}`;
  return segment === undefined ? session : `${session}/continuation-${segment}`;
}
