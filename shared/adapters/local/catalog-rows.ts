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

export function addParameters(trajectory: NewTrajectory): {
  readonly columns: readonly string[];
  readonly values: readonly SQLInputValue[];
} {
  const { row, session } = trajectory;
  const cells: Record<string, SQLInputValue> = {
    id: row.id,
    content_id: row.contentId,
    revision: row.revision,
    task_key: row.taskKey,
    task_id: row.taskId,
    repo: row.repo,
    domain: row.domain,
    format: row.format,
    agent: row.agent,
    model: row.model,
    success: row.success === null ? null : Number(row.success),
    outcome_score: row.outcomeScore,
    steps: row.steps,
    agent_steps: row.agentSteps,
    calls: row.calls,
    redactions: row.redactions,
    warnings: row.warnings,
    tokens: row.tokens,
    source_bytes: row.sourceBytes,
    started_at: row.startedAt,
    session_key: session?.key ?? null,
    prefixes: session?.prefixes ?? null,
  };
  return { columns: Object.keys(cells), values: Object.values(cells) };
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
