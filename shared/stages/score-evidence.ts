import { evidenceRecord, evidenceSchema, type ScoreEvidence } from "../contracts/evidence.ts";
import { type Judgement, judgementSchema } from "../contracts/judgement.ts";
import { judgementKey, labelKey } from "../contracts/keys.ts";
import { type Label, labelSchema } from "../contracts/label.ts";
import { modelScoresOf } from "../judge/judgement-of.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { HumanReading, ModelReading } from "../reward/readings.ts";
import { readRecord } from "./ledger-record.ts";
import { readStored } from "./stored-json.ts";

/** One read of the ledger where there is none, which is the rule. */
export async function loadEvidence(
  id: string,
  { ledger, store }: { readonly ledger: Ledger; readonly store: ObjectStore },
): Promise<ScoreEvidence | undefined> {
  const record = await readRecord(ledger, evidenceRecord(id), evidenceSchema);
  if (record === undefined) return undefined;
  const { judges, annotators } = record.value;
  // One that is not there was forgotten, or noted by a process that was stopped before it wrote.
  const judgements = await Promise.all(
    judges.map((judge) => readStored(judgementKey(id, judge), judgementSchema, store)),
  );
  const labels = await Promise.all(
    annotators.map((annotator) => readStored(labelKey(id, annotator), labelSchema, store)),
  );
  return {
    judgements: judgements.filter((each) => each !== undefined),
    labels: labels.filter((each) => each !== undefined),
  };
}

/** Somebody said something of a trajectory, or was about to. */
export async function hasEvidence(id: string, ledger: Ledger): Promise<boolean> {
  return (await ledger.get(evidenceRecord(id))) !== undefined;
}

/** The newest judgement of this revision of the document, of equally new ones that of the first judge by its id. */
export function currentJudgement({ judgements }: ScoreEvidence, revision: string): Judgement | undefined {
  let best: Judgement | undefined;
  for (const each of judgements) {
    if (each.revision !== revision || each.steps.length === 0) continue;
    const newer =
      best === undefined ||
      each.created_at > best.created_at ||
      (each.created_at === best.created_at && each.judge < best.judge);
    if (newer) best = each;
  }
  return best;
}

/** A judgement as scoring takes it, of a trajectory of so many agent steps. */
export function modelReading(judgement: Judgement, steps: number): ModelReading {
  const { judge, model, samples } = judgement;
  return { judge, model, samples, scores: modelScoresOf(judgement, steps) };
}

/** The mean over annotators of everything that people said; undefined without labels. */
export function humanReading(labels: readonly Label[]): HumanReading | undefined {
  if (labels.length === 0) return undefined;
  const rubrics = new Mean<string>();
  const steps = new Mean<number>();
  let sum = 0;
  for (const label of labels) {
    sum += label.score;
    for (const [id, score] of Object.entries(label.rubrics)) rubrics.add(id, score);
    for (const { index, score } of label.steps) steps.add(index, score);
  }
  return {
    annotators: labels.length,
    score: sum / labels.length,
    rubrics: rubrics.all(),
    steps: steps.all(),
  };
}

class Mean<K> {
  readonly #sums = new Map<K, { sum: number; n: number }>();

  add(key: K, value: number): void {
    const entry = this.#sums.get(key) ?? { sum: 0, n: 0 };
    entry.sum += value;
    entry.n += 1;
    this.#sums.set(key, entry);
  }

  all(): ReadonlyMap<K, number> {
    return new Map([...this.#sums].map(([key, { sum, n }]) => [key, sum / n]));
  }
}
