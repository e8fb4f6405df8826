import { pythonStr } from "../../reward/python-text.ts";
import { agentSteps } from "../../trajectory/agent-steps.ts";
import type { Trajectory } from "../../trajectory/schema.ts";
import type { Row } from "./write-row.ts";

/** A step as knowlyr-gym's programs write it, in any of its three shapes. */
export interface KnowlyrStep {
  readonly thought?: unknown;
  readonly action?: unknown;
  readonly observation?: unknown;
  readonly tool?: unknown;
  readonly params?: unknown;
  readonly output?: unknown;
  readonly tool_call?: { readonly name?: unknown; readonly parameters?: unknown } | null;
  readonly tool_result?: { readonly output?: unknown } | null;
}

/** A trajectory as knowlyr-gym's exporter reads it. */
export interface KnowlyrTrajectory {
  readonly task_id?: string;
  readonly agent_framework?: string;
  readonly agent_model?: string;
  readonly steps?: readonly KnowlyrStep[];
  readonly total_steps?: number;
  readonly success?: boolean;
  readonly reward?: number;
  readonly metadata?: {
    readonly task_description?: string;
    readonly repo?: string;
    readonly base_commit?: string;
    readonly test_command?: string;
    readonly difficulty?: string;
  };
}

/** A trajectory of ours in that shape: a step for each call, and one for each turn without a call. */
export function knowlyrOf(
  trajectory: Trajectory,
  { reward, success }: { readonly reward: number | null; readonly success: boolean | null },
): KnowlyrTrajectory {
  const { task } = trajectory.extra.gymline;
  const steps = agentSteps(trajectory).flatMap(({ thought, message, calls, observations }): KnowlyrStep[] => {
    if (calls.length === 0) return [{ thought, action: message, observation: observations.join("\n") }];
    return calls.map((call, index) => ({
      thought: index === 0 ? thought : "",
      tool: call.tool,
      params: call.params,
      output: call.output ?? "",
    }));
  });
  const difficulty = task.metadata?.["difficulty"];
  return {
    task_id: task.id ?? "",
    agent_framework: trajectory.agent.name,
    agent_model: trajectory.agent.model_name ?? "",
    steps,
    total_steps: steps.length,
    success: success === true,
    reward: reward ?? 0,
    metadata: {
      ...(task.description === undefined ? {} : { task_description: task.description }),
      ...(task.repo === undefined ? {} : { repo: task.repo }),
      ...(task.base_commit === undefined ? {} : { base_commit: task.base_commit }),
      ...(task.test_command === undefined ? {} : { test_command: task.test_command }),
      ...(typeof difficulty === "string" ? { difficulty } : {}),
    },
  };
}

export function knowlyrSftRow(of: KnowlyrTrajectory): Row {
  const { repo = "", base_commit = "", test_command = "" } = of.metadata ?? {};
  return {
    instruction: descriptionOf(of),
    input: pythonJson({ repo, base_commit, test_command }),
    response: stepsText(of.steps ?? []),
    task_id: of.task_id ?? "",
    reward: of.reward ?? 0,
    metadata: {
      agent_framework: of.agent_framework ?? "",
      agent_model: of.agent_model ?? "",
      total_steps: of.total_steps ?? 0,
    },
  };
}

export function knowlyrDpoRow(of: {
  readonly chosen: KnowlyrTrajectory;
  readonly rejected: KnowlyrTrajectory;
  readonly margin: number;
  readonly task_id?: string;
  readonly description?: string | undefined;
}): Row {
  const { chosen, rejected, margin } = of;
  const task_id = of.task_id ?? chosen.task_id ?? "";
  const prompt = of.description ?? chosen.metadata?.task_description;
  return {
    prompt: prompt ?? `Solve the following task:\n\nTask ID: ${task_id}`,
    chosen: stepsText(chosen.steps ?? []),
    rejected: stepsText(rejected.steps ?? []),
    task_id,
    reward_margin: margin,
    metadata: {
      chosen_model: chosen.agent_model ?? "",
      rejected_model: rejected.agent_model ?? "",
      chosen_reward: chosen.reward ?? 0,
      rejected_reward: rejected.reward ?? 0,
    },
  };
}

/** @param group sorted by reward, highest first */
export function knowlyrGrpoRow(task_id: string, group: readonly KnowlyrTrajectory[]): Row {
  const [best = {}] = group;
  return {
    task_id,
    prompt: descriptionOf({ ...best, task_id }),
    trajectories: group.map(({ steps = [], reward = 0 }) => ({ response: stepsText(steps), reward })),
  };
}

export function knowlyrBenchmarkRow(task_id: string, group: readonly KnowlyrTrajectory[]): Row {
  const { task_description = "", ...facts } = group[0]?.metadata ?? {};
  const { repo = "", base_commit = "", test_command = "", difficulty = "unknown" } = facts;
  const rewards = group.map(({ reward = 0 }) => reward);
  return {
    task_id,
    description: task_description,
    repo,
    base_commit,
    test_command,
    reference_trajectories: group.map(
      ({ agent_model = "", reward = 0, success = false, total_steps = 0 }) => ({
        agent_model,
        reward,
        success,
        total_steps,
      }),
    ),
    difficulty,
    expected_reward_range: [twoDecimals(Math.min(...rewards)), twoDecimals(Math.max(...rewards))],
  };
}

function twoDecimals(value: number): number {
  return Number(value.toFixed(2));
}

/** An empty description is one; only where none is given does the task's id stand in. */
function descriptionOf({ task_id = "", metadata }: KnowlyrTrajectory): string {
  return metadata?.task_description ?? `Solve task: ${task_id}`;
}

/** Steps as text blocks, each with the parts that it has. */
export function stepsText(steps: readonly KnowlyrStep[]): string {
  const blocks = steps.map((step, index) => {
    const [thought, action, observation] = [textOf(step.thought), actionText(step), observationText(step)];
    return [
      `Step ${index + 1}:`,
      ...(thought === "" ? [] : [`Thought: ${thought}`]),
      ...(action === "" ? [] : [`Action: ${action}`]),
      ...(observation === "" ? [] : [`Observation: ${observation}`]),
    ].join("\n");
  });
  return blocks.join("\n\n");
}

function actionText({ action, tool, params, tool_call }: KnowlyrStep): string {
  if (isTrue(action)) return textOf(action);
  if (isTrue(tool)) return callText(tool, params);
  return isTrue(tool_call?.name) ? callText(tool_call?.name, tool_call?.parameters) : "";
}

function callText(tool: unknown, params: unknown): string {
  return isTrue(params) ? `${textOf(tool)}(${pythonJson(params)})` : textOf(tool);
}

function observationText({ observation, output, tool_result }: KnowlyrStep): string {
  if (isTrue(observation)) return textOf(observation);
  return isTrue(output) ? textOf(output) : textOf(tool_result?.output);
}

function textOf(value: unknown): string {
  return isTrue(value) ? pythonStr(value) : "";
}

/** What Python takes for true. */
function isTrue(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return Boolean(value);
  return Object.keys(value).length > 0;
}

/** JSON with Python's separators. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pythonJson(item)}`);
  return `{${fields.join(", ")}}`;
}
