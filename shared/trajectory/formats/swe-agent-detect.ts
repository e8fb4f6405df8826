import type { Detection } from "../format.ts";
import { field, filled, has, type JsonRecord, list, nearness, record, records, text } from "./read.ts";
import { listOrJson } from "./swe-agent-native.ts";

const HEAD = 12;

/** The layouts SWE-agent and the data sets made with it come in. */
type SweAgentVariant =
  | "0.x text"
  | "1.x text"
  | "1.x tool calls"
  | "attempts"
  | "history list"
  | "action pairs"
  | "row of role and text"
  | "row of messages";

/** Recognises a SWE-agent record by the fields that only it has. */
export function detectSweAgent(value: unknown): Detection {
  const variant = variantOf(value);
  if (variant !== undefined) return { match: true, variant };
  if (record(value) === undefined) return nearness([[false, "$.history or $.trajectory or $.messages"]]);
  const messages = has(value, "messages");
  if (messages && !has(value, "history") && !has(value, "trajectory")) {
    if (!has(value, "instance_id")) return { match: false, near: 0, missing: ["$.instance_id"] };
    return { match: false, near: 0.4, missing: ["$.traj_id or observations as SWE-agent words them"] };
  }
  const list = has(value, "history") || has(value, "trajectory");
  if (!list) return { match: false, near: 0, missing: ["$.history or $.trajectory"] };
  return nearness([
    [list, "$.history or $.trajectory"],
    [has(value, "info"), "$.info"],
    [has(value, "environment") || has(value, "replay_config"), "$.environment or $.replay_config"],
    [false, "$.history[*] of {role, content, agent} or $.trajectory[*] of {action, observation, response}"],
  ]);
}

function variantOf(value: unknown): SweAgentVariant | undefined {
  if (Array.isArray(value)) return isHistory(value) ? "history list" : undefined;
  const row = record(value);
  if (row === undefined) return undefined;
  const attempt = list(field(row, "attempts"))?.[0];
  if (attempt !== undefined && isRun(attempt)) return "attempts";
  if (isRun(row)) return runVariant(row);
  if (isPairs(row)) return "action pairs";
  if (isRoleText(row)) return "row of role and text";
  return isMessageRow(row) ? "row of messages" : undefined;
}

function isRun(value: unknown): boolean {
  return isSteps(field(value, "trajectory")) || isHistory(field(value, "history"));
}

function isSteps(value: unknown): boolean {
  const first = list(value)?.[0];
  return (
    typeof field(first, "action") === "string" &&
    typeof field(first, "observation") === "string" &&
    (has(first, "response") || has(first, "thought"))
  );
}

/** Messages that carry SWE-agent's own notes beside role and content. */
function isHistory(value: unknown): boolean {
  const head = (list(value) ?? []).slice(0, HEAD);
  return (
    head.length > 0 &&
    head.every((item) => text(field(item, "role")) !== undefined && has(item, "content")) &&
    head.some(
      (item) =>
        text(field(item, "agent")) !== undefined ||
        typeof field(item, "is_demo") === "boolean" ||
        (text(field(item, "thought")) !== undefined && text(field(item, "action")) !== undefined),
    )
  );
}

function runVariant(row: JsonRecord): SweAgentVariant {
  const head = records(field(row, "history")).slice(0, HEAD);
  if (head.some((item) => (list(field(item, "tool_calls"))?.length ?? 0) > 0)) return "1.x tool calls";
  const newer = has(row, "replay_config") || head.some((item) => has(item, "message_type"));
  return newer ? "1.x text" : "0.x text";
}

/** `[action, observation]` pairs; OpenHands has pairs too, but of two events. */
function isPairs(row: JsonRecord): boolean {
  if (record(field(row, "info")) === undefined) return false;
  const head = (list(field(row, "history")) ?? []).slice(0, HEAD);
  const pair = head.map(list).find((entry) => entry !== undefined && entry.length >= 2);
  if (pair === undefined) return false;
  const [action, observation] = pair;
  if (observation !== null && typeof observation !== "string") return false;
  const named = typeof field(action, "action") === "string" && record(field(action, "args")) === undefined;
  return typeof action === "string" || named;
}

function isRoleText(row: JsonRecord): boolean {
  const head = (listOrJson(field(row, "trajectory")) ?? []).slice(0, HEAD);
  return (
    filled(field(row, "instance_id")) !== undefined &&
    head.length > 0 &&
    head.every((item) => text(field(item, "role")) !== undefined && has(item, "text")) &&
    head.some((item) => has(item, "system_prompt") || field(item, "role") === "ai")
  );
}

function isMessageRow(row: JsonRecord): boolean {
  if (filled(field(row, "instance_id")) === undefined) return false;
  // Rows of the OpenHands data sets.
  if (has(row, "run_id") || has(row, "test_result") || has(row, "trajectory_format")) return false;
  const head = (listOrJson(field(row, "messages")) ?? []).slice(0, HEAD);
  if (head.length === 0 || !head.every((item) => text(field(item, "role")) !== undefined)) return false;
  const users = head.flatMap((item) =>
    field(item, "role") === "user" ? [text(field(item, "content")) ?? ""] : [],
  );
  if (users.some((content) => /^\s*<returncode>/.test(content))) return false;
  const named = has(row, "traj_id") && (has(row, "resolved") || has(row, "patch") || has(row, "model"));
  return (
    named ||
    isHistory(head) ||
    users.some((content) => content.startsWith("OBSERVATION:\n") || PROMPT.test(content.slice(-500)))
  );
}

/** The state lines under an observation. */
const PROMPT = /\n\(Current directory: [^\n]*\)\nbash-\$\s*$/;
