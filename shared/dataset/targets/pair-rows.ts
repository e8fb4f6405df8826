import type { AttemptPair } from "../../preferences/attempt.ts";
import { marginOf } from "../../preferences/attempt.ts";
import { round4 } from "../../reward/rounding.ts";
import type { Trajectory } from "../../trajectory/schema.ts";
import { type SftMessage, sftMessages } from "../sft-messages.ts";
import { knowlyrDpoRow, knowlyrOf } from "./knowlyr.ts";
import { swiftMessages } from "./ms-swift.ts";
import { openaiMessage, openaiTools } from "./openai.ts";
import { type PairParts, type PairUnit, pairParts } from "./pair-parts.ts";
import { type Rendering, refused, row } from "./rendering.ts";
import { agentTurn, isAgents, isPaired, sharegpt } from "./sharegpt.ts";
import type { TargetId } from "./targets.ts";
import { haveObjects, NO_OBJECT, templateMessage, templateTurns } from "./template-messages.ts";
import { templateTools, toolsText } from "./tools-text.ts";
import type { Row } from "./write-row.ts";

/** A pair of attempts with their documents. */
export interface PairSource {
  readonly pair: AttemptPair;
  readonly task: string;
  readonly chosen: Trajectory;
  readonly rejected: Trajectory;
}

type Parts = Extract<PairParts, { readonly kind: "parts" }>;

interface PairTarget {
  /** Whether a side may be more than one message. */
  readonly units: "any" | "step";
  readonly render: (parts: Parts, of: PairSource) => Rendering;
}

const TARGETS: Readonly<Partial<Record<TargetId, PairTarget>>> = {
  "trl-dpo": { units: "any", render: trlRow },
  "llama-factory-dpo": { units: "step", render: rankingRow },
  "ms-swift-dpo": { units: "any", render: swiftPairRow },
  "openai-dpo": { units: "step", render: (parts, of) => row(openaiPairRow(parts, of)) },
};

/** A pair as a row of a target whose rows are pairs. */
export function renderPair(target: TargetId, of: PairSource, unit: PairUnit): Rendering {
  if (target === "knowlyr-dpo") {
    const { pair } = of;
    const [chosen, rejected] = [knowlyrOf(of.chosen, pair.chosen), knowlyrOf(of.rejected, pair.rejected)];
    return row(knowlyrDpoRow({ chosen, rejected, margin: round4(marginOf(pair)) }));
  }
  const known = TARGETS[target];
  if (known === undefined) throw new TypeError(`a row of ${target} is not made of a pair`);
  if (toolsText(of.chosen) !== toolsText(of.rejected)) return refused("their tools differ");
  const messagesOf = target === "openai-dpo" ? sftMessages : turnsOf;
  const sides = { chosen: messagesOf(of.chosen), rejected: messagesOf(of.rejected) };
  const parts = pairParts(sides, known.units === "step" ? "step" : unit);
  return parts.kind === "refused" ? refused(parts.reason) : known.render(parts, of);
}

function turnsOf(trajectory: Trajectory): readonly SftMessage[] {
  return templateTurns(sftMessages(trajectory));
}

function trlRow({ prompt, chosen, rejected }: Parts, of: PairSource): Rendering {
  if (![prompt, chosen, rejected].every(haveObjects)) return refused(NO_OBJECT);
  return row({
    prompt: plain(prompt).map(templateMessage),
    chosen: plain(chosen).map(templateMessage),
    rejected: plain(rejected).map(templateMessage),
    tools: templateTools(of.chosen),
    ...pairOrigin(of),
  });
}

function rankingRow({ prompt, chosen, rejected }: Parts, of: PairSource): Rendering {
  const { system, turns } = sharegpt(plain(prompt));
  const last = turns.at(-1);
  if (!isPaired(turns)) return refused("the agent speaks first");
  if (last === undefined || isAgents(last)) return refused("two messages of the agent follow each other");
  return row({
    conversations: turns,
    chosen: agentTurn(plain(chosen)),
    rejected: agentTurn(plain(rejected)),
    system,
    tools: toolsText(of.chosen),
    ...pairOrigin(of),
  });
}

function swiftPairRow({ prompt, chosen, rejected }: Parts, of: PairSource): Rendering {
  const shared = prompt.map((message) => ({ ...message, trainable: false }));
  return row({
    messages: swiftMessages([...shared, ...chosen]),
    rejected_messages: swiftMessages([...shared, ...rejected]),
    tools: toolsText(of.chosen),
    rejected_tools: toolsText(of.rejected),
    ...pairOrigin(of),
  });
}

function openaiPairRow({ prompt, chosen, rejected }: Parts, of: PairSource): Row {
  const tools = of.chosen.agent.tool_definitions ?? [];
  return {
    input: {
      messages: plain(prompt).map(openaiMessage),
      ...openaiTools(tools, [...prompt, ...chosen, ...rejected]),
    },
    preferred_output: plain(chosen).map(openaiMessage),
    non_preferred_output: plain(rejected).map(openaiMessage),
  };
}

function plain(messages: readonly SftMessage[]): readonly SftMessage["message"][] {
  return messages.map(({ message }) => message);
}

function pairOrigin({ pair, task, chosen, rejected }: PairSource): Row {
  const facts = [chosen, rejected].map(({ extra }) => extra.gymline);
  const exact = facts.every(({ fidelity }) => fidelity.tokens === "token_exact");
  return {
    margin: round4(marginOf(pair)),
    chosen_reward: pair.chosen.reward,
    rejected_reward: pair.rejected.reward,
    preferred_by: pair.source,
    task,
    task_id: facts[0]?.task.id ?? null,
    chosen_id: pair.chosen.id,
    rejected_id: pair.rejected.id,
    tokens: exact ? "token_exact" : "text_only",
  };
}
