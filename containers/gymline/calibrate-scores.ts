import { openForReading } from "../../shared/adapters/local/local-store.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import {
  type CalibrationDocument,
  type CalibrationLayer,
  calibrationLayerSchema,
} from "../../shared/calibration/calibration-document.ts";
import { CalibrationError } from "../../shared/calibration/calibration-error.ts";
import type { CalibrationRow } from "../../shared/calibration/calibration-row.ts";
import { compareScores } from "../../shared/calibration/compare-scores.ts";
import { fitCalibration } from "../../shared/calibration/fit-calibration.ts";
import { labelRows } from "../../shared/calibration/label-rows.ts";
import { readCalibrationRows } from "../../shared/calibration/read-rows.ts";
import { annotatorsReport, calibrationReport, comparisonReport } from "./calibration-report.ts";
import { EXIT } from "./exit-code.ts";
import { readLabelled } from "./labelled.ts";
import { seedOf } from "./numbers.ts";
import { openOutput } from "./output.ts";
import { many, note, out } from "./terminal.ts";
import { textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

export interface CalibrateOptions {
  readonly store: string;
  readonly layer: string;
  readonly group: string;
  readonly out?: string;
  readonly seed: string;
  readonly json?: boolean;
}

interface Source {
  readonly rows: readonly CalibrationRow[];
  readonly labels: CalibrationDocument["labels"];
}

/** Compares, fits, writes and prints, as the options say. @throws CalibrationError, UsageError */
export async function calibrate(file: string | undefined, options: CalibrateOptions): Promise<void> {
  const layer = layerOf(options.layer);
  const seed = seedOf(options.seed);
  const { rows, labels } = file === undefined ? await fromStore(options, { layer, seed }) : fromFile(file);
  const comparison = compareScores(rows, { seed });
  const fit = tryFit({ rows, layer, labels, seed });
  const path = options.out ?? (layer === "total" ? "calibration.json" : `calibration.${layer}.json`);
  if (fit.document !== null) await write(path, fit.document);
  const written = fit.document === null ? null : path;
  if (options.json === true) {
    const schema = "gymline.calibration-report.v1";
    out(JSON.stringify({ schema, comparison, labels, calibration: fit.document, out: written }));
  } else {
    if (file === undefined) out(`${annotatorsReport(labels)}\n`);
    out(comparisonReport(comparison));
    if (fit.document !== null) out(`\n${calibrationReport(fit.document)}\n  written to ${path}`);
  }
  if (fit.why === null) return;
  note(`no calibration: ${fit.why}`);
  process.exitCode = EXIT.rejected;
}

async function fromStore(
  options: CalibrateOptions,
  { layer, seed }: { readonly layer: CalibrationLayer; readonly seed: number },
): Promise<Source> {
  const { group, store } = options;
  if (group !== "task" && group !== "repo")
    throw new UsageError(`--group takes task or repo, not "${group}"`);
  const local = openForReading(store);
  try {
    const { trajectories, absent } = await readLabelled(local, group);
    const { rows, labels, unscored } = labelRows(trajectories, { layer, seed });
    if (absent > 0)
      note(`${many(absent, "labelled trajectory", "labelled trajectories")} left out: not in ${store}`);
    if (unscored > 0) {
      note(
        `${many(unscored, "labelled trajectory", "labelled trajectories")} left out: no ${layer} score; see gymline reprocess --stage score`,
      );
    }
    if (trajectories.length === 0) {
      throw new CalibrationError(
        `nothing in ${store} is labelled: have people label it with gymline annotate --store ${store} --out page.html`,
      );
    }
    return { rows, labels };
  } finally {
    await local.close();
  }
}

function fromFile(file: string): Source {
  const rows = readCalibrationRows(textOfFile(file), file);
  return { rows, labels: { by_annotator: {}, by_kind: { file: rows.length }, alpha: null } };
}

type Fit =
  | { readonly document: CalibrationDocument; readonly why: null }
  | { readonly document: null; readonly why: string };

/** Scores that can be compared may still be too few to fit anything to. */
function tryFit(request: Source & { readonly layer: CalibrationLayer; readonly seed: number }): Fit {
  try {
    const createdAt = new Date(systemClock.now()).toISOString();
    return { document: fitCalibration({ ...request, createdAt }), why: null };
  } catch (error) {
    if (error instanceof CalibrationError) return { document: null, why: error.message };
    throw error;
  }
}

async function write(path: string, document: CalibrationDocument): Promise<void> {
  const output = await openOutput(path);
  try {
    await output.write(`${JSON.stringify(document, null, 2)}\n`);
  } catch (error) {
    await output.abort();
    throw error;
  }
  await output.finish();
}

function layerOf(text: string): CalibrationLayer {
  const layer = calibrationLayerSchema.safeParse(text);
  if (layer.success) return layer.data;
  throw new UsageError(`--layer takes ${calibrationLayerSchema.options.join(", ")}, not "${text}"`);
}
