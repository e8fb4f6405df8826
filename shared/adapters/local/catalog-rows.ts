import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { CatalogEntry } from "../../contracts/catalog-row.ts";
import type { NewTrajectory, ObjectState, Selection } from "../../ports/catalog.ts";

export type Row = Record<string, SQLOutputValue>;

export function textOf(value: SQLOutputValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function textOrNull(value: SQLOutputValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}

export function objectOf(row: Row): ObjectState {
  return {
    key: textOf(row["key"]),
    project: textOf(row["project"]),
    fingerprint: textOf(row["fingerprint"]),
    revision: textOf(row["revision"]),
    records: Number(row["records"]),
    trajectories: Number(row["trajectories"]),
    rejected: Number(row["rejected"]),
  };
}

export function entryOf(row: Row): CatalogEntry {
  return {
    id: textOf(row["id"]),
    contentId: textOf(row["content_id"]),
    revision: textOf(row["revision"]),
    taskKey: textOf(row["task_key"]),
    taskId: textOrNull(row["task_id"]),
    repo: textOrNull(row["repo"]),
    domain: textOf(row["domain"]),
    format: textOf(row["format"]),
    agent: textOf(row["agent"]),
    model: textOrNull(row["model"]),
    success: row["success"] === null || row["success"] === undefined ? null : row["success"] === 1,
    outcomeScore: numberOrNull(row["outcome_score"]),
    steps: Number(row["steps"]),
    agentSteps: Number(row["agent_steps"]),
    calls: Number(row["calls"]),
    redactions: Number(row["redactions"]),
    warnings: Number(row["warnings"]),
    tokens: row["tokens"] === "token_exact" ? "token_exact" : "text_only",
    sourceBytes: Number(row["source_bytes"]),
    startedAt: textOrNull(row["started_at"]),
    scorer: textOrNull(row["scorer"]),
    reward: numberOrNull(row["reward"]),
    process: numberOrNull(row["process"]),
    outcome: numberOrNull(row["outcome"]),
    efficiency: numberOrNull(row["efficiency"]),
    feedback: numberOrNull(row["feedback"]),
    exportCount: Number(row["export_count"]),
    createdAt: Number(row["created_at"]),
    supersededBy: textOrNull(row["superseded_by"]),
  };
}

/** What ingest writes of a trajectory; the values come in this order from `addValues`. */
const ADDED = [
  ...["id", "content_id", "revision", "task_key", "task_id", "repo", "domain", "format", "agent", "model"],
  ...["success", "outcome_score", "steps", "agent_steps", "calls", "redactions", "warnings", "tokens"],
  ...["source_bytes", "started_at", "session_key", "prefixes"],
];

/** Takes the values and the time. */
export const INSERT_SQL = `insert into trajectories (${ADDED.join(", ")}, created_at) values (${"?, ".repeat(ADDED.length)}?)`;
/** Takes the values and the id. */
export const UPDATE_SQL = `update trajectories set ${ADDED.map((column) => `${column} = ?`).join(", ")} where id = ?`;

export function addValues({ row, session }: NewTrajectory): readonly SQLInputValue[] {
  return [
    ...[row.id, row.contentId, row.revision, row.taskKey, row.taskId, row.repo],
    ...[row.domain, row.format, row.agent, row.model],
    ...[row.success === null ? null : Number(row.success), row.outcomeScore, row.steps, row.agentSteps],
    ...[row.calls, row.redactions, row.warnings, row.tokens, row.sourceBytes, row.startedAt],
    ...[session?.key ?? null, session?.prefixes ?? null],
  ];
}

const SUCCESS_SQL = { true: "success = 1", false: "success = 0", unknown: "success is null" } as const;

export function selectionSql(selection: Selection): {
  readonly sql: string;
  readonly parameters: readonly SQLInputValue[];
} {
  const conditions: string[] = [];
  const parameters: SQLInputValue[] = [];
  const equal: readonly [string, string | undefined][] = [
    ["domain", selection.domain],
    ["agent", selection.agent],
    ["model", selection.model],
    ["format", selection.format],
  ];
  for (const [column, value] of equal) {
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    parameters.push(value);
  }
  if (selection.task !== undefined) {
    conditions.push("(task_id = ? or task_key = ?)");
    parameters.push(selection.task, selection.task);
  }
  if (selection.project !== undefined) {
    conditions.push("exists (select 1 from places p where p.id = trajectories.id and p.project = ?)");
    parameters.push(selection.project);
  }
  if (selection.minReward !== undefined) {
    conditions.push("reward >= ?");
    parameters.push(selection.minReward);
  }
  if (selection.success !== undefined) {
    conditions.push(`(${selection.success.map((label) => SUCCESS_SQL[label]).join(" or ") || "0"})`);
  }
  if (selection.includeSuperseded !== true) conditions.push("superseded_by is null");
  const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;
  const limit = selection.limit === undefined ? "" : "limit ?";
  if (selection.limit !== undefined) parameters.push(selection.limit);
  return { sql: `select * from trajectories ${where} order by reward desc, id ${limit}`, parameters };
}
