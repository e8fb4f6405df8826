import type { StoredScore } from "../stages/score-trajectory.ts";
import { JsonPieces } from "../trajectory/json-pieces.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { type ChatMessage, sftMessages } from "./sft-messages.ts";

/**
 * One row of an SFT set. TRL reads `messages` and `tools` and leaves the other columns alone; the parallel lists
 * have one entry per message.
 */
export interface SftRow {
  readonly messages: readonly ChatMessage[];
  /** JSON text of the tool list, "[]" where the log has none: TRL parses a text, Arrow would mangle a list. */
  readonly tools: string;
  /** 1 where the message is to be learnt, 0 where it is context. */
  readonly weights: readonly number[];
  /** Process reward of the message's step in [0, 1]; null for other roles and unscored steps. */
  readonly step_rewards: readonly (number | null)[];
  /** Total reward in [0, 1]; null where nothing could be scored. */
  readonly reward: number | null;
  readonly success: boolean | null;
  readonly id: string;
  readonly content_id: string;
  readonly task_id: string | null;
  readonly domain: string;
  readonly agent: string;
  readonly model: string | null;
  readonly format: string;
  readonly scorer: string | null;
  readonly tokens: "token_exact" | "text_only";
}

/**
 * One line of JSON with its newline, in pieces; `of` is the trajectory the row is from. Rewards keep a decimal point even where they are whole: loaders infer
 * a column's type from what they meet first, and a list that starts with 1 would be taken for integers.
 */
export function sftLinePieces(row: SftRow, of: Trajectory): readonly string[] {
  const { messages, step_rewards, reward, ...rest } = row;
  const json = new JsonPieces(of);
  json.raw('{"messages":[');
  for (const [index, message] of messages.entries()) {
    if (index > 0) json.raw(",");
    json.value(message, 1);
  }
  json.raw("],");
  json.raw(JSON.stringify(rest).slice(1, -1));
  json.raw(`,"step_rewards":[${step_rewards.map(decimal).join(",")}],"reward":${decimal(reward)}}\n`);
  return json.take();
}

function decimal(value: number | null): string {
  if (value === null) return "null";
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** Renders a trajectory as an SFT row; undefined where no message of it may be trained on. */
export function sftRow(trajectory: Trajectory, score: StoredScore | undefined): SftRow | undefined {
  const messages = sftMessages(trajectory);
  if (!messages.some(({ trainable }) => trainable)) return undefined;
  const facts = trajectory.extra.gymline;
  return {
    messages: messages.map(({ message }) => message),
    tools: JSON.stringify(trajectory.agent.tool_definitions ?? []),
    weights: messages.map(({ trainable }) => (trainable ? 1 : 0)),
    step_rewards: messages.map(({ agentStep }) =>
      agentStep === null ? null : (score?.steps[agentStep]?.total ?? null),
    ),
    reward: score === undefined || score.layers.length === 0 ? null : score.total,
    success: facts.outcome.success,
    id: facts.id,
    content_id: facts.content_id,
    task_id: facts.task.id ?? null,
    domain: score?.domain ?? facts.domain ?? "generic",
    agent: trajectory.agent.name,
    model: trajectory.agent.model_name ?? null,
    format: facts.provenance.format,
    scorer: score?.scorer ?? null,
    tokens: facts.fidelity.tokens,
  };
}
