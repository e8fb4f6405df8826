import type { TaskAttempts } from "../../preferences/attempt.ts";
import type { StoredScore } from "../../stages/score-trajectory.ts";
import type { Trajectory } from "../../trajectory/schema.ts";
import { type SftMessage, sftMessages } from "../sft-messages.ts";
import { NO_PROMPT } from "./prompt-completion.ts";
import { type Rendering, refused, row } from "./rendering.ts";
import type { TargetId } from "./targets.ts";
import { templateTurns } from "./template-messages.ts";
import { templateTools, toolsText } from "./tools-text.ts";
import type { Row } from "./write-row.ts";

/** A task with its best attempt's document. Attempts come the best first. */
export interface TaskSource extends TaskAttempts {
  readonly trajectory: Trajectory;
  readonly score: StoredScore | undefined;
  readonly split: string;
  /** How many rows of the split there are before. */
  readonly index: number;
  readonly envClass: string;
  /** How many attempts a benchmark lists. */
  readonly listed: number;
}

export type PromptTarget = "verl-rl" | "skyrl" | "trl-grpo" | "verifiers";

const PROMPT_TARGETS: ReadonlySet<string> = new Set<PromptTarget>([
  "verl-rl",
  "skyrl",
  "trl-grpo",
  "verifiers",
]);

function isPromptTarget(target: TargetId): target is PromptTarget {
  return PROMPT_TARGETS.has(target);
}

/** A task as a row of a target that has a row for each. */
export function taskRow(target: TargetId, source: TaskSource): Rendering {
  return isPromptTarget(target) ? promptRow(target, source) : benchmarkRow(source);
}

/** A task as a prompt for online training. */
function promptRow(target: PromptTarget, source: TaskSource): Rendering {
  const messages = promptOf(templateTurns(sftMessages(source.trajectory)));
  if (messages.length === 0) return refused(NO_PROMPT);
  if (messages.some(({ message }) => message.role === "tool" || message.role === "assistant")) {
    return refused("its prompt holds earlier turns of an agent");
  }
  if (messages.at(-1)?.message.role !== "user") return refused("its prompt says nothing to the agent");
  const domain = domainOf(source);
  const prompt = messages.map(({ message: { role, content } }) => ({ role, content }));
  const ground_truth = groundTruth(source.trajectory);
  const extra_info = extraInfo(source);
  const data_source = `gymline/${domain}`;
  if (target === "verl-rl") {
    const reward_model = { style: "rule", ground_truth };
    return row({ data_source, prompt, ability: domain, reward_model, extra_info });
  }
  if (target === "skyrl") {
    const reward_spec = { method: "rule", ground_truth };
    return row({ data_source, prompt, env_class: source.envClass, reward_spec, extra_info });
  }
  if (target === "verifiers") {
    const { index: _, ...facts } = extra_info;
    const info = JSON.stringify({ domain, ...facts });
    return row({ prompt, answer: ground_truth, info, task: data_source });
  }
  return row({ prompt, ground_truth, domain, tools: templateTools(source.trajectory), extra_info });
}

/** A task with the rewards to expect, and its best attempt for reference. */
function benchmarkRow(source: TaskSource): Rendering {
  const { trajectory, attempts } = source;
  const { task } = trajectory.extra.gymline;
  const messages = sftMessages(trajectory);
  const rewards = attempts.map(({ reward }) => reward);
  const difficulty = task.metadata?.["difficulty"];
  return row({
    task: source.task,
    task_id: task.id ?? null,
    description: task.description ?? null,
    repo: task.repo ?? null,
    base_commit: task.base_commit ?? null,
    test_command: task.test_command ?? null,
    difficulty: typeof difficulty === "string" ? difficulty : null,
    domain: domainOf(source),
    prompt: promptOf(messages).map(({ message }) => message),
    tools: toolsText(trajectory),
    reference_id: trajectory.extra.gymline.id,
    reference: messages.map(({ message }) => message),
    attempts: attempts.slice(0, source.listed).map(({ id, reward, success, steps }) => ({
      id,
      reward,
      success,
      steps,
    })),
    expected_reward_range: [Math.min(...rewards), Math.max(...rewards)],
    tokens: trajectory.extra.gymline.fidelity.tokens,
  });
}

/** What came before the agent's first own message. */
function promptOf(messages: readonly SftMessage[]): readonly SftMessage[] {
  const first = messages.findIndex(({ agentStep }) => agentStep !== null);
  return first < 0 ? messages : messages.slice(0, first);
}

function domainOf({ score, trajectory }: TaskSource): string {
  return score?.domain ?? trajectory.extra.gymline.domain ?? "generic";
}

function groundTruth({ extra }: Trajectory): string {
  const { id, repo, base_commit, test_command } = extra.gymline.task;
  return JSON.stringify({
    task_id: id ?? null,
    repo: repo ?? null,
    base_commit: base_commit ?? null,
    test_command: test_command ?? null,
  });
}

function extraInfo({ task, attempts, trajectory, split, index }: TaskSource): Row {
  const rewards = attempts.map(({ reward }) => reward);
  const labelled = attempts.filter(({ success }) => success !== null);
  const succeeded = labelled.filter(({ success }) => success === true).length;
  return {
    split,
    index,
    task,
    task_id: trajectory.extra.gymline.task.id ?? null,
    attempts: attempts.length,
    mean_reward: rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length,
    best_reward: Math.max(...rewards),
    success_rate: labelled.length === 0 ? null : succeeded / labelled.length,
    tokens: trajectory.extra.gymline.fidelity.tokens,
  };
}
