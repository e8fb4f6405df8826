import type { FileLabel, RefusedLabel } from "../annotation/labels-file.ts";
import { labelSource } from "../contracts/feedback.ts";
import { labelKey } from "../contracts/keys.ts";
import { type Label, labelSchema } from "../contracts/label.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { evidenceOf, noteEvidence, removeEvidence } from "./add-evidence.ts";
import { readStored } from "./stored-json.ts";

export interface LabelPorts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
}

/**
 * What became of a label. `outdated`: the store holds a later one of the same annotator, which stays; a folder of saved
 * files often holds old ones too.
 */
export type LabelOutcome =
  | { readonly kind: "added" | "replaced" | "unchanged" | "outdated" }
  | { readonly kind: "refused"; readonly reason: string; readonly remedy: string };

export interface ImportedLabels {
  readonly counts: Readonly<Record<"added" | "replaced" | "unchanged" | "outdated", number>>;
  readonly refused: readonly RefusedLabel[];
  /** Trajectories whose labels changed, sorted: their scores are to be made again. */
  readonly changed: readonly string[];
}

/**
 * Stores labels that were read from files, the earliest first, so that of several by one annotator the latest stays
 * whatever the order of the files. May be repeated.
 */
export async function importLabels(labels: readonly FileLabel[], ports: LabelPorts): Promise<ImportedLabels> {
  const counts = { added: 0, replaced: 0, unchanged: 0, outdated: 0 };
  const refused: RefusedLabel[] = [];
  const changed = new Set<string>();
  const inOrder = [...labels].sort((a, b) => timeOf(a.label) - timeOf(b.label));
  for (const { label, file, place } of inOrder) {
    const outcome = await importLabel(label, ports);
    const { trajectory_id: id } = label;
    if (outcome.kind === "refused") {
      const { reason, remedy } = outcome;
      refused.push({ file, place, trajectoryId: id, reason, remedy });
      continue;
    }
    counts[outcome.kind] += 1;
    if (outcome.kind === "added" || outcome.kind === "replaced") changed.add(id);
  }
  return { counts, refused, changed: [...changed].sort() };
}

/**
 * Stores one label, notes it, and gives its overall score as feedback; the document comes first, so a repeat mends what
 * a kill left out.
 */
export async function importLabel(label: Label, ports: LabelPorts): Promise<LabelOutcome> {
  const { store, catalog, ledger } = ports;
  const { trajectory_id: id, annotator } = label;
  const entry = await catalog.entry(id);
  if (entry === undefined) return refusal(await catalog.forgotten(id));
  const beyond = label.steps.find(({ index }) => index >= entry.agentSteps);
  if (beyond !== undefined) {
    return {
      kind: "refused",
      reason: `it scores agent step ${beyond.index}, and there are ${entry.agentSteps}, counted from 0`,
      remedy: "make a new page, since the log was converted anew, and label it there",
    };
  }
  const key = labelKey(id, annotator);
  const before = await readStored(key, labelSchema, store);
  const later = before !== undefined && timeOf(before) > timeOf(label);
  const same = before !== undefined && JSON.stringify(before) === JSON.stringify(label);
  if (!later && !same) await store.put(key, Buffer.from(JSON.stringify(label)));
  await noteEvidence({ id, annotator }, ledger);
  const { score } = later ? before : label;
  await catalog.setFeedback(id, { source: labelSource(annotator), score });
  if (await catalog.forgotten(id)) {
    // It was forgotten in between: nothing of it may stay.
    await store.erase(key);
    await removeEvidence(id, ledger);
    return refusal(true);
  }
  if (later) return { kind: "outdated" };
  if (same) return { kind: "unchanged" };
  return { kind: before === undefined ? "added" : "replaced" };
}

function refusal(forgotten: boolean): LabelOutcome {
  const remedy = "nothing to do: labels of what is not there are of no use";
  return forgotten
    ? { kind: "refused", reason: "the trajectory was forgotten", remedy }
    : {
        kind: "refused",
        reason: "the store holds no such trajectory",
        remedy: "import into the store that the page was made from",
      };
}

/** All labels of a trajectory, in the order of their annotators. */
export async function labelsOf(
  id: string,
  ports: { readonly store: ObjectStore; readonly ledger: Ledger },
): Promise<readonly Label[]> {
  const { annotators } = await evidenceOf(id, ports.ledger);
  const labels: Label[] = [];
  for (const annotator of annotators) {
    const label = await readStored(labelKey(id, annotator), labelSchema, ports.store);
    if (label !== undefined) labels.push(label);
  }
  return labels;
}

function timeOf(label: Label): number {
  return Date.parse(label.labelled_at);
}
