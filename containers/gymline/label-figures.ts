import { evidenceRecord } from "../../shared/contracts/evidence.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { labelsOf } from "../../shared/stages/import-labels.ts";

export interface AnnotatorFigures {
  /** Trajectories with at least one label. */
  readonly trajectories: number;
  /** Sorted by name. */
  readonly annotators: readonly {
    readonly annotator: string;
    readonly labels: number;
    /** Labels on trajectories that somebody else labelled too. */
    readonly shared: number;
    /** Time of the last label, ISO 8601. */
    readonly last: string;
  }[];
}

/** Who labelled how many, out of the ledger's records. */
export async function annotatorFigures(ports: {
  readonly store: ObjectStore;
  readonly ledger: Ledger;
}): Promise<AnnotatorFigures> {
  const found = new Map<string, { labels: number; shared: number; last: string }>();
  let trajectories = 0;
  const prefix = evidenceRecord("");
  for await (const { key } of ports.ledger.list(prefix)) {
    const labels = await labelsOf(key.slice(prefix.length), ports);
    if (labels.length > 0) trajectories += 1;
    for (const { annotator, labelled_at: at } of labels) {
      const { labels: count = 0, shared = 0, last = "" } = found.get(annotator) ?? {};
      found.set(annotator, {
        labels: count + 1,
        shared: shared + (labels.length > 1 ? 1 : 0),
        last: last !== "" && Date.parse(last) > Date.parse(at) ? last : at,
      });
    }
  }
  const annotators = [...found].map(([annotator, figures]) => ({ annotator, ...figures }));
  return { trajectories, annotators: annotators.sort((a, b) => (a.annotator < b.annotator ? -1 : 1)) };
}
