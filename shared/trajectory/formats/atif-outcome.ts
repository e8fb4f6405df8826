import { contentText } from "../content.ts";
import { decodeJson } from "../depth.ts";
import type { Outcome, Task } from "../gymline-extra.ts";
import type { AtifTrajectory } from "../schema.ts";
import { readLabels } from "./labels.ts";
import { at, field, filled, label, record } from "./read.ts";

/** `reward: 1.0` and the like, one on a line, as harnesses write it into the notes. */
const NOTE_LINE = /^\s*(reward|score|resolved|success|passed)\s*[:=]\s*([a-z0-9.+-]{1,20})\s*$/i;

/** Labels of a document that is not our own: under `extra`, `final_metrics.extra`, or in the notes. */
export function atifOutcome(document: Omit<AtifTrajectory, "schema_version">): Outcome {
  const outcome: Outcome = { success: null };
  const places: readonly (readonly [unknown, string])[] = [
    [document.extra, "extra"],
    [at(document.extra, "outcome"), "extra.outcome"],
    [at(document.extra, "verifier_result"), "extra.verifier_result"],
    [at(document.extra, "verifier_result", "rewards"), "extra.verifier_result.rewards"],
    [document.final_metrics?.extra, "final_metrics.extra"],
    [noted(document.notes), "notes"],
  ];
  for (const [value, path] of places) {
    const source = record(value);
    if (source !== undefined) readLabels(source, path, outcome);
  }
  return outcome;
}

function noted(notes: string | null | undefined): unknown {
  if (typeof notes !== "string") return undefined;
  const decoded = record(decodeJson(notes));
  if (decoded !== undefined) return decoded;
  const found = new Map<string, unknown>();
  for (const line of notes.split("\n")) {
    const [, key, value] = line.length > 200 ? [] : (NOTE_LINE.exec(line) ?? []);
    if (key === undefined || value === undefined) continue;
    const parsed = Number(value);
    found.set(key.toLowerCase(), Number.isFinite(parsed) ? parsed : value);
  }
  return Object.fromEntries(found);
}

/** The task as producers name it under `extra`; its text is the first user message where nothing else says it. */
export function atifTask(document: Omit<AtifTrajectory, "schema_version">): Task {
  const extra = record(document.extra);
  const named = field(extra, "task");
  const id =
    label(field(extra, "task_id")) ??
    label(field(extra, "instance_id")) ??
    label(field(extra, "task_name")) ??
    label(field(named, "id")) ??
    label(field(named, "task_id"));
  const first = document.steps.find((step) => step.source === "user");
  const description =
    filled(field(extra, "problem_statement")) ??
    filled(field(extra, "task_description")) ??
    filled(field(named, "description")) ??
    filled(contentText(first?.message));
  const repo = filled(field(extra, "repo"));
  const commit = filled(field(extra, "base_commit"));
  return {
    ...(id === undefined ? {} : { id }),
    ...(description === undefined ? {} : { description }),
    ...(repo === undefined ? {} : { repo }),
    ...(commit === undefined ? {} : { base_commit: commit }),
  };
}
