import type { StoredScore } from "../../stages/score-trajectory.ts";
import { estimatedTokens } from "../../tokenizer/trajectory-texts.ts";
import type { Trajectory } from "../../trajectory/schema.ts";
import { contentFacts } from "../content-facts.ts";
import { sftMessages } from "../sft-messages.ts";
import { type SftRow, sftRowOf } from "../sft-row.ts";
import type { RowFacts } from "../tally.ts";
import { grpoAttemptRow } from "./grpo-attempt.ts";
import { knowlyrOf, knowlyrSftRow } from "./knowlyr.ts";
import { ktoRow } from "./kto.ts";
import { swiftRow } from "./ms-swift.ts";
import { openaiRow } from "./openai.ts";
import { primeRlRow } from "./prime-rl.ts";
import { prmRow } from "./prm.ts";
import { promptCompletionRow } from "./prompt-completion.ts";
import { type Rendering, refused, row, type Source } from "./rendering.ts";
import { sharegptRow } from "./sharegpt.ts";
import { type TargetId, targetOf } from "./targets.ts";
import { haveObjects, NO_OBJECT, templateTurns } from "./template-messages.ts";
import { verlRow } from "./verl.ts";
import type { Row } from "./write-row.ts";

const RENDERERS: Readonly<Partial<Record<TargetId, (source: Source) => Rendering>>> = {
  trl: ({ sft, turns }) => (haveObjects(turns) ? row({ ...sft }) : refused(NO_OBJECT)),
  "trl-prompt-completion": promptCompletionRow,
  "prime-rl": primeRlRow,
  verl: verlRow,
  "llama-factory": sharegptRow,
  "ms-swift": swiftRow,
  openai: openaiRow,
  atif: ({ trajectory }) => row({ ...trajectory }),
  "trl-kto": ktoRow,
  "trl-prm": prmRow,
  "grpo-offline": grpoAttemptRow,
  "knowlyr-sft": ({ trajectory, sft }) => row(knowlyrSftRow(knowlyrOf(trajectory, sft))),
};

export type RenderedTrajectory =
  | { readonly kind: "row"; readonly row: Row; readonly facts: RowFacts }
  | Extract<Rendering, { readonly kind: "refused" }>;

/** Whether a trajectory by itself makes a row of the target. */
export function isOfOneTrajectory(target: TargetId): boolean {
  return targetOf(target).unit === "trajectory";
}

/** A trajectory as a row of a target whose rows are made of one trajectory each. */
export function renderTrajectory(
  target: TargetId,
  of: { readonly trajectory: Trajectory; readonly score: StoredScore | undefined },
): RenderedTrajectory {
  const render = RENDERERS[target];
  if (render === undefined) throw new TypeError(`a row of ${target} is not made of one trajectory`);
  const messages = sftMessages(of.trajectory);
  const turns = templateTurns(messages);
  const sft = sftRowOf(turns, of);
  if (sft === undefined) return { kind: "refused", reason: "no message may be trained on" };
  const rendering = render({ ...of, sft, messages, turns });
  if (rendering.kind === "refused") return rendering;
  return { ...rendering, facts: rowFacts(sft, of.trajectory) };
}

/** What the manifest adds up of a trajectory. */
export function rowFacts(sft: SftRow, trajectory: Trajectory): RowFacts {
  const { reward, success, domain, format, agent, model, messages, weights, scorer } = sft;
  return {
    contentId: sft.content_id,
    revision: trajectory.extra.gymline.provenance.revision,
    scorer,
    reward,
    success,
    domain,
    format,
    agent,
    model,
    redactions: trajectory.extra.gymline.redaction.total,
    messages: messages.length,
    trained: weights.reduce((sum, weight) => sum + weight, 0),
    tokens: estimatedTokens(trajectory),
    ...contentFacts(trajectory),
  };
}
