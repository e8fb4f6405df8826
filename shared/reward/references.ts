import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { z } from "zod";
import type { TrajectoryFacts } from "./trajectory-facts.ts";

/**
 * Typical sizes of trajectories, to judge one by: medians per task, per domain and agent, and per domain. Made
 * of what a store holds, or given as a file.
 */

const size = z.number().nonnegative();
const entrySchema = z.strictObject({
  /** Trajectories the medians are over. */
  n: z.int().positive(),
  /** Agent steps. */
  steps: size,
  /** Characters the agent wrote beside its calls, per step. */
  thought: size,
  /** Characters of the arguments of its calls, per step. */
  action: size,
});

export const referencesSchema = z.strictObject({
  schema: z.literal("gymline.references.v1"),
  /** By task key; only tasks with at least three trajectories. */
  tasks: z.record(z.string(), entrySchema),
  /** By domain, then agent. */
  agents: z.record(z.string(), z.record(z.string(), entrySchema)),
  domains: z.record(z.string(), entrySchema),
});

export type References = Readonly<z.infer<typeof referencesSchema>>;
export type ReferenceEntry = Readonly<z.infer<typeof entrySchema>>;

/** The sizes of one trajectory. */
export interface SizeRow {
  /** Null where the log names no task. */
  readonly taskKey: string | null;
  readonly domain: string;
  readonly agent: string;
  readonly steps: number;
  /** Mean characters per step. */
  readonly thought: number;
  readonly action: number;
}

export interface Reference extends Omit<ReferenceEntry, "n"> {
  /** What the medians are of. */
  readonly of: "task" | "agent" | "domain" | "builtin";
  /** 0 for built-in ones. */
  readonly n: number;
}

/** Fewer attempts than this say little about a task. */
const leastAttempts = 3;
/** An agent of whom less is known is measured by its domain. */
const leastRuns = 5;

/** References file is wrong. `source` names the file it came from. */
export class ReferencesError extends Error {
  readonly source: string;
  constructor(source: string, reason: string, cause?: unknown) {
    super(`References ${source}: ${reason}. Make the file anew with \`gymline references\`.`, { cause });
    this.name = "ReferencesError";
    this.source = source;
  }
}

/** References as scoring takes them. */
export interface ReferenceBook {
  /** First 16 hex digits of SHA-256 over their canonical JSON. */
  readonly version: string;
  readonly references: References;
}

export function referenceBook(references: References): ReferenceBook {
  const text = canonicalize(references) ?? "";
  return { version: createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16), references };
}

/** @throws ReferencesError naming source and field */
export function parseReferences(value: unknown, sourceName: string): References {
  const result = referencesSchema.safeParse(value);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  const place = first === undefined ? "" : `${first.path.map(String).join(".")}: ${first.message}`;
  throw new ReferencesError(sourceName, place, result.error);
}

/** The sizes of a trajectory, for its row and for nothing else. */
export function trajectorySizes(
  facts: TrajectoryFacts,
): Pick<SizeRow, "domain" | "steps" | "thought" | "action"> {
  const steps = facts.steps.length;
  const perStep = (sum: number): number => (steps === 0 ? 0 : sum / steps);
  return {
    domain: facts.domain,
    steps,
    thought: perStep(facts.steps.reduce((sum, step) => sum + step.thoughtLength, 0)),
    action: perStep(facts.steps.reduce((sum, step) => sum + step.actionLength, 0)),
  };
}

/** Medians over the rows, whatever their order. Trajectories without steps do not count. */
export function buildReferences(rows: Iterable<SizeRow>): References {
  const tasks = new Groups();
  const agents = new Groups();
  const domains = new Groups();
  for (const row of rows) {
    if (row.steps <= 0) continue;
    if (row.taskKey !== null && row.taskKey !== "") tasks.add(row.taskKey, row);
    agents.add(JSON.stringify([row.domain, row.agent]), row);
    domains.add(row.domain, row);
  }
  const byAgent: Record<string, Record<string, ReferenceEntry>> = Object.create(null);
  for (const [key, entry] of agents.entries(leastRuns)) {
    const [domain = "", agent = ""] = JSON.parse(key) as string[];
    byAgent[domain] ??= Object.create(null) as Record<string, ReferenceEntry>;
    (byAgent[domain] as Record<string, ReferenceEntry>)[agent] = entry;
  }
  return {
    schema: "gymline.references.v1",
    tasks: Object.fromEntries(tasks.entries(leastAttempts)),
    agents: Object.fromEntries(Object.entries(byAgent).map(([domain, of]) => [domain, { ...of }])),
    domains: Object.fromEntries(domains.entries(leastRuns)),
  };
}

class Groups {
  readonly #rows = new Map<string, SizeRow[]>();

  add(key: string, row: SizeRow): void {
    const rows = this.#rows.get(key);
    if (rows === undefined) this.#rows.set(key, [row]);
    else rows.push(row);
  }

  /** Entries of the groups with at least so many rows, sorted by key. */
  entries(least: number): readonly (readonly [string, ReferenceEntry])[] {
    return [...this.#rows]
      .filter(([, rows]) => rows.length >= least)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, rows]) => [
        key,
        {
          n: rows.length,
          steps: median(rows.map((row) => row.steps)),
          thought: median(rows.map((row) => row.thought)),
          action: median(rows.map((row) => row.action)),
        },
      ]);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  const value = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
  return Math.round(value * 10) / 10;
}

/**
 * Where nothing is known: rounded medians of public runs of coding agents (SWE-bench Lite and Terminal-Bench:
 * 10 to 18 steps) and of support agents (tau-bench: 10 steps with few words). See docs/SIGNALS.md.
 */
const builtin: Readonly<Record<string, Omit<ReferenceEntry, "n">>> = {
  coding: { steps: 15, thought: 400, action: 200 },
  other: { steps: 10, thought: 200, action: 80 },
};

/**
 * The nearest reference: of the task, else of the agent in its domain, else of the domain, else a built-in
 * one. `refs` null: the built-in one.
 */
export function referenceFor(
  refs: References | null,
  key: { readonly taskKey: string | null; readonly domain: string; readonly agent: string },
): Reference {
  const { taskKey, domain, agent } = key;
  const task = taskKey === null ? undefined : own(refs?.tasks, taskKey);
  if (task !== undefined) return { ...task, of: "task" };
  const byAgent = own(own(refs?.agents, domain), agent);
  if (byAgent !== undefined) return { ...byAgent, of: "agent" };
  const byDomain = own(refs?.domains, domain);
  if (byDomain !== undefined) return { ...byDomain, of: "domain" };
  const known = own(builtin, domain) ?? (builtin["other"] as Omit<ReferenceEntry, "n">);
  return { ...known, of: "builtin", n: 0 };
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
