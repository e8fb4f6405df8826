import { scoreKey, trajectoryKey } from "../contracts/keys.ts";
import { contentFacts } from "../dataset/content-facts.ts";
import { sftRow } from "../dataset/sft-row.ts";
import type { RowFacts } from "../dataset/tally.ts";
import { rowFacts } from "../dataset/targets/render-trajectory.ts";
import type { GroupRows, StoredPart } from "../ports/compute.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Attempt } from "../preferences/attempt.ts";
import { estimatedTokens } from "../tokenizer/trajectory-texts.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { readDocument } from "./compute-tasks.ts";
import { ExportError } from "./dataset-rows.ts";
import { readScore, type StoredScore } from "./score-trajectory.ts";

export interface StoredTrajectory {
  readonly trajectory: Trajectory;
  readonly score: StoredScore | undefined;
  readonly facts: RowFacts;
}

/** An attempt's document and score as they lie in the store. @throws ExportError */
export async function loadPart(
  { id, scorer }: Pick<Attempt, "id" | "scorer">,
  store: ObjectStore,
): Promise<StoredPart> {
  try {
    const document = await store.read(trajectoryKey(id));
    return { id, document, score: scorer === null ? undefined : await store.read(scoreKey(id, scorer)) };
  } catch (cause) {
    throw new ExportError(id, cause);
  }
}

export function readTrajectory({ document, score: bytes }: StoredPart): StoredTrajectory {
  const trajectory = readDocument(document);
  const score = bytes === undefined ? undefined : readScore(bytes);
  return { trajectory, score, facts: factsOf(trajectory, score) };
}

/** @throws ExportError where one of the documents is damaged */
export function rowsOrDamage(made: GroupRows): Extract<GroupRows, { readonly kind: "rows" }>["rows"] {
  if (made.kind === "damaged") throw new ExportError(made.id, new Error(made.why));
  return made.rows;
}

function factsOf(trajectory: Trajectory, score: StoredScore | undefined): RowFacts {
  const sft = sftRow(trajectory, score);
  if (sft !== undefined) return rowFacts(sft, trajectory);
  const { outcome, domain, provenance, redaction, content_id: contentId } = trajectory.extra.gymline;
  return {
    contentId,
    revision: provenance.revision,
    scorer: score?.scorer ?? null,
    reward: score === undefined || score.layers.length === 0 ? null : score.total,
    success: outcome.success,
    domain: score?.domain ?? domain ?? "generic",
    format: provenance.format,
    agent: trajectory.agent.name,
    model: trajectory.agent.model_name ?? null,
    redactions: redaction.total,
    messages: 0,
    trained: 0,
    tokens: estimatedTokens(trajectory),
    ...contentFacts(trajectory),
  };
}
