import type { SourcePlace } from "../../shared/contracts/catalog-row.ts";
import {
  judgementKey,
  labelKey,
  pairOfPrefix,
  scorePrefix,
  trajectoryPrefix,
  votePrefix,
} from "../../shared/contracts/keys.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { loadEvidence } from "../../shared/stages/score-evidence.ts";
import { type VersionUse, versionUses } from "../../shared/versions/version-uses.ts";
import type { OpenStore } from "./store-access.ts";

/** All that is known of where a trajectory comes from and what became of it. */
export interface Lineage {
  readonly id: string;
  readonly places: readonly SourcePlace[];
  /** It has a tombstone: what is left are rows of dataset versions. */
  readonly forgotten: boolean;
  /** Current revision of the document. */
  readonly revision: string | null;
  readonly documents: readonly string[];
  readonly scores: readonly string[];
  readonly success: boolean | null;
  readonly reward: number | null;
  readonly scorer: string | null;
  readonly judgements: readonly {
    readonly key: string;
    readonly model: string;
    readonly revision: string;
    /** Steps that it scored. */
    readonly steps: number;
  }[];
  readonly labels: readonly { readonly key: string; readonly annotator: string; readonly score: number }[];
  readonly votes: { readonly pairs: number; readonly votes: number };
  readonly supersededBy: string | null;
  readonly datasets: readonly VersionUse[];
}

/** In the order of the ids. */
export async function lineagesOf(ids: readonly string[], opened: OpenStore): Promise<readonly Lineage[]> {
  const uses = await versionUses(ids, opened);
  const lineages: Lineage[] = [];
  for (const id of ids) lineages.push(await lineageOf(id, { opened, datasets: uses.get(id) ?? [] }));
  return lineages;
}

async function lineageOf(
  id: string,
  { opened, datasets }: { readonly opened: OpenStore; readonly datasets: Lineage["datasets"] },
): Promise<Lineage> {
  const { store, catalog } = opened;
  const entry = await catalog.entry(id);
  const evidence = await loadEvidence(id, opened);
  return {
    id,
    places: await catalog.places(id),
    forgotten: entry === undefined && (await catalog.forgotten(id)),
    revision: entry?.revision ?? null,
    documents: await keys(store, trajectoryPrefix(id)),
    scores: await keys(store, scorePrefix(id)),
    success: entry?.success ?? null,
    reward: entry?.reward ?? null,
    scorer: entry?.scorer ?? null,
    judgements: (evidence?.judgements ?? []).map(({ judge, model, revision, coverage }) => ({
      key: judgementKey(id, judge),
      model,
      revision,
      steps: coverage.scored,
    })),
    labels: (evidence?.labels ?? []).map(({ annotator, score }) => ({
      key: labelKey(id, annotator),
      annotator,
      score,
    })),
    votes: await votesOn(id, store),
    supersededBy: entry?.supersededBy ?? null,
    datasets,
  };
}

async function votesOn(id: string, store: ObjectStore): Promise<Lineage["votes"]> {
  const prefix = pairOfPrefix(id);
  const pairs = await keys(store, prefix);
  let votes = 0;
  for (const key of pairs) {
    votes += (await keys(store, votePrefix(key.slice(prefix.length).replace(/\.json$/, "")))).length;
  }
  return { pairs: pairs.length, votes };
}

async function keys(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}
