import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { JsonPieces } from "./json-pieces.ts";
import type { Step, Trajectory } from "./schema.ts";

export const ID_VERSION = "gymline.id.v1";
export const CONTENT_ID_VERSION = "gymline.content.v1";

/**
 * SHA-256 (hex) of a source record's bytes. A record that holds several trajectories gives each its own id:
 * the first keeps the plain hash, the others add their ordinal.
 */
export function recordId(bytes: Uint8Array, ordinal = 0): string {
  const hash = createHash("sha256").update(bytes);
  if (ordinal > 0) hash.update(`\n${ordinal}`);
  return hash.digest("hex");
}

export interface ContentIdentity {
  /** SHA-256 (hex) over the RFC 8785 canonical JSON of `[version, task, ...actions and observations]`. */
  readonly contentId: string;
  /** Eight bytes per action or observation: a hash of all up to it. A longer log of one session starts alike. */
  readonly prefixes: Uint8Array;
}

/**
 * Identity by what was done and seen. The task counts by its id, else by its first user message. User messages,
 * calls, agent messages without calls and observations count; thoughts, system prompts, call ids, timestamps
 * and costs do not. Call it after redaction.
 */
export function contentIdentity(
  trajectory: Pick<Trajectory, "steps">,
  taskId: string | undefined,
  options: { readonly prefixes: boolean },
): ContentIdentity {
  const hash = createHash("sha256");
  const first = trajectory.steps.find((step) => step.source === "user" && step.is_copied_context !== true);
  const task = taskId === undefined ? ["first_user_message", first?.message ?? null] : ["task", taskId];
  const json = new JsonPieces(trajectory);
  json.raw(`[${canonical(CONTENT_ID_VERSION)},${canonical(task)}`);
  const prefixes: Buffer[] = [];
  for (const step of trajectory.steps) {
    if (step.is_copied_context === true) continue;
    for (const item of contentItems(step)) {
      writeItem(item, json);
      if (!options.prefixes) continue;
      for (const piece of json.take()) hash.update(piece);
      prefixes.push(hash.copy().digest().subarray(0, 8));
    }
  }
  json.raw("]");
  for (const piece of json.take()) hash.update(piece);
  return { contentId: hash.digest("hex"), prefixes: Buffer.concat(prefixes) };
}

/** An action or observation as it counts for identity: its kind, then what it consists of. */
export type ContentItem = readonly [kind: "user" | "call" | "message" | "result", ...unknown[]];

export function* contentItems(step: Step): Generator<ContentItem> {
  if (step.source === "user") yield ["user", step.message];
  if (step.source === "agent") {
    const calls = step.tool_calls ?? [];
    for (const call of calls) {
      const raw = call.extra?.gymline?.raw_arguments;
      yield raw === undefined
        ? ["call", call.function_name, call.arguments]
        : ["call", call.function_name, call.arguments, raw];
    }
    if (calls.length === 0) yield ["message", step.message];
  }
  for (const result of step.observation?.results ?? []) yield ["result", result.content ?? null];
}

/** Canonical JSON of an item; of a text, that is its plain JSON. */
function writeItem(item: ContentItem, json: JsonPieces): void {
  let before = ",[";
  for (const part of item) {
    json.raw(before);
    before = ",";
    if (typeof part === "string" && part.isWellFormed()) json.text(part);
    else json.raw(canonical(part));
  }
  json.raw("]");
}

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("no canonical JSON for undefined");
  return text;
}
