import type { StoredScore } from "../stages/score-trajectory.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { type SftMessage, sftMessages } from "./sft-messages.ts";
import { type TemplateMessage, templateMessage, templateTurns } from "./targets/template-messages.ts";
import { templateTools } from "./targets/tools-text.ts";

/**
 * One row of an SFT set. TRL reads `messages` and `tools` and leaves the other columns alone; the parallel lists
 * have one entry per message.
 */
export interface SftRow {
  readonly messages: readonly TemplateMessage[];
  /** JSON text of the tool list, null where the log has none: TRL parses a text, Arrow would mangle a list. */
  readonly tools: string | null;
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

/** Renders a trajectory as an SFT row; undefined where no message of it may be trained on. */
export function sftRow(trajectory: Trajectory, score: StoredScore | undefined): SftRow | undefined {
  return sftRowOf(templateTurns(sftMessages(trajectory)), { trajectory, score });
}

/** The same, with the messages as `templateTurns` gives them. */
export function sftRowOf(
  messages: readonly SftMessage[],
  { trajectory, score }: { readonly trajectory: Trajectory; readonly score: StoredScore | undefined },
): SftRow | undefined {
  if (!messages.some(({ trainable }) => trainable)) return undefined;
  const facts = trajectory.extra.gymline;
  return {
    messages: messages.map(({ message }) => templateMessage(message)),
    tools: templateTools(trajectory),
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
