import { scoreKey } from "../contracts/keys.ts";
import type { Catalog, ScoreSet } from "../ports/catalog.ts";
import type { Compute, ComputedScore } from "../ports/compute.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { loadEvidence } from "./score-evidence.ts";

export interface ScoreMessage {
  readonly id: string;
  /** Key of the document to score. */
  readonly key: string;
  /** The score, where ingest computed it along with the document; it counts unless there is evidence by now. */
  readonly computed?: ComputedScore;
}

export interface Scored {
  readonly computed: ComputedScore;
  readonly set: ScoreSet;
  /** A judgement of this revision of the document was there. */
  readonly isJudged: boolean;
}

export interface ScorePorts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly compute: Compute;
}

/**
 * Scores one stored trajectory: the score document first, then the catalog, so that a repeat changes nothing. It
 * replaces the score that the same scorer gave an older revision of the document.
 */
export async function score(message: ScoreMessage, ports: ScorePorts): Promise<Scored> {
  const evidence = await loadEvidence(message.id, ports);
  const computed =
    message.computed !== undefined && evidence === undefined
      ? message.computed
      : await ports.compute.score(await ports.store.read(message.key), evidence);
  await ports.store.put(scoreKey(message.id, computed.row.scorer), computed.bytes);
  const { revision } = computed;
  const set = await ports.catalog.setScore(message.id, computed.row, { revision });
  // It was forgotten in between: nothing of it may stay.
  if (set === "absent") await ports.store.erase(scoreKey(message.id, computed.row.scorer));
  const isJudged = evidence?.judgements.some((each) => each.revision === revision) ?? false;
  return { computed, set, isJudged };
}
