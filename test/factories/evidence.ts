import type { Judgement } from "../../shared/contracts/judgement.ts";
import { judgementKey, labelKey } from "../../shared/contracts/keys.ts";
import type { Label } from "../../shared/contracts/label.ts";
import { noteEvidence } from "../../shared/stages/add-evidence.ts";
import type { Station } from "./station.ts";

export function judgement(of: {
  readonly trajectory_id: string;
  readonly revision: string;
  readonly steps: Judgement["steps"];
  readonly changes?: Partial<Judgement>;
}): Judgement {
  const { trajectory_id, revision, steps, changes = {} } = of;
  return {
    schema: "gymline.judgement.v1",
    trajectory_id,
    revision,
    judge: "0123456789abcdef",
    provider: "anthropic",
    model: "a-model",
    prompt_version: "1",
    rubrics: [],
    mode: "windows",
    samples: 1,
    steps,
    coverage: { steps: steps.length, asked: steps.length, scored: steps.length, choice: "all", windows: 1 },
    failures: [],
    usage: { input: 100, cacheRead: 0, cacheWrite: 0, output: 10 },
    requests: 1,
    cached: 0,
    usd: null,
    batch: false,
    cache_keys: [],
    created_at: "2026-01-01T00:00:00.000Z",
    ...changes,
  };
}

export function label(of: {
  readonly trajectory_id: string;
  readonly score: number;
  readonly changes?: Partial<Label>;
}): Label {
  const { changes = {}, ...rest } = of;
  return {
    schema: "gymline.label.v1",
    annotator: "ann",
    success: null,
    rubrics: {},
    steps: [],
    comment: "",
    labelled_at: "2026-01-01T00:00:00.000Z",
    ...rest,
    ...changes,
  };
}

/** Puts what was said where scoring finds it. */
export async function addEvidence(
  station: Station,
  {
    judgements = [],
    labels = [],
  }: { readonly judgements?: readonly Judgement[]; readonly labels?: readonly Label[] },
): Promise<void> {
  const { store, ledger } = station.local;
  for (const each of judgements) {
    const { trajectory_id: id, judge } = each;
    await store.put(judgementKey(id, judge), Buffer.from(JSON.stringify(each)));
    await noteEvidence({ id, judge }, ledger);
  }
  for (const each of labels) {
    const { trajectory_id: id, annotator } = each;
    await store.put(labelKey(id, annotator), Buffer.from(JSON.stringify(each)));
    await noteEvidence({ id, annotator }, ledger);
  }
}
