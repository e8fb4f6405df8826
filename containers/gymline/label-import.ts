import type { LocalStore } from "../../shared/adapters/local/local-store.ts";
import {
  type FileLabel,
  LabelsFileError,
  type ReadLabels,
  type RefusedLabel,
  readLabelsFile,
} from "../../shared/annotation/labels-file.ts";
import type { PipelinePlan } from "../../shared/contracts/pipeline-plan.ts";
import { builtinRubrics } from "../../shared/reward/rubrics.ts";
import { type ImportedLabels, importLabels } from "../../shared/stages/import-labels.ts";
import { rescore } from "../../shared/stages/reprocess.ts";
import { EXIT } from "./exit-code.ts";
import { startCompute } from "./pipeline.ts";
import { writableStore } from "./store-access.ts";
import { many, note, out, printable } from "./terminal.ts";
import { textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

export interface ImportOptions {
  readonly store: string;
  readonly json?: boolean;
  /** How those are scored again whose labels changed. */
  readonly plan: PipelinePlan;
}

/** Takes in files of labels, as far as they are good, and says what became of them. */
export async function importFiles(files: readonly string[], options: ImportOptions): Promise<void> {
  const read: ReadLabels[] = [];
  const unread: string[] = [];
  const { plan } = options;
  const rubrics = [...(plan.rubrics ?? builtinRubrics).rubrics.keys()];
  for (const file of files) {
    try {
      read.push(readLabelsFile(textOfFile(file), file, rubrics));
    } catch (error) {
      if (!(error instanceof LabelsFileError) && !(error instanceof UsageError)) throw error;
      unread.push(error.message);
    }
  }
  const labels = read.flatMap((each): readonly FileLabel[] => each.labels);
  const drafts = read.reduce((sum, each) => sum + each.drafts, 0);
  const local = await writableStore(options.store);
  try {
    const { store, catalog } = local;
    const imported = await importLabels(labels, { store, catalog, ledger: catalog.ledger });
    const rescored = await scoreAgain(imported.changed, { local, plan });
    const refused = [...read.flatMap((each) => each.refused), ...imported.refused];
    reportImport(options, { imported, refused, unread, drafts, rescored });
    if (refused.length > 0 || unread.length > 0) process.exitCode = EXIT.rejected;
  } finally {
    await local.close();
  }
}

/** Labels count in the score of a trajectory: those whose labels changed are scored again. Gives how many changed. */
async function scoreAgain(
  ids: readonly string[],
  { local, plan }: { readonly local: LocalStore; readonly plan: PipelinePlan },
): Promise<number> {
  const { compute } = await startCompute(plan, 0);
  let changed = 0;
  try {
    for await (const _ of rescore({ ids }, { ...local, compute })) changed += 1;
    await local.catalog.flush();
  } finally {
    await compute.close();
  }
  return changed;
}

function reportImport(
  options: ImportOptions,
  result: {
    readonly imported: ImportedLabels;
    readonly refused: readonly RefusedLabel[];
    readonly unread: readonly string[];
    readonly drafts: number;
    readonly rescored: number;
  },
): void {
  const { imported, refused, unread, drafts, rescored } = result;
  const { counts, changed } = imported;
  if (options.json === true) {
    const facts = { ...counts, changed, rescored, drafts, refused, unread };
    out(JSON.stringify({ schema: "gymline.labels-import.v1", ...facts }));
    return;
  }
  for (const message of unread) note(`refused ${printable(message)}`);
  for (const { file, place, trajectoryId, reason, remedy } of refused) {
    note(
      `refused ${printable(file)} ${place} (trajectory ${trajectoryId ?? "unknown"}): ${printable(reason)}`,
    );
    note(`  → ${printable(remedy)}`);
  }
  const { added, replaced, unchanged, outdated } = counts;
  const others = [
    replaced === 0 ? "" : `${replaced} replaced`,
    unchanged === 0 ? "" : `${unchanged} as before`,
    outdated === 0 ? "" : `${outdated} older than what the store holds`,
    refused.length === 0 ? "" : `${refused.length} refused`,
    drafts === 0 ? "" : `${drafts} without an overall score left out`,
  ].filter((part) => part !== "");
  out([`${many(added, "new label")}`, ...others].join(", "));
  if (changed.length > 0) {
    out(`  ${many(rescored, "score")} changed by them`);
    out(`  → compare them with the automatic scores: gymline calibrate --store ${options.store}`);
  }
}
