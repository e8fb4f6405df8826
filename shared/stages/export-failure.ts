import type { ExportReport } from "../contracts/export-report.ts";
import { exportReportKey } from "../contracts/keys.ts";
import type { DatasetCheckError } from "../dataset/quality/check-error.ts";
import { CHECKS } from "../dataset/quality/checks.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ExportResult } from "./export.ts";

/** What an export found that another try would find again, and that a person has to settle. */
export type ExportFailure = Pick<ExportReport, "reason" | "why" | "found" | "remedies">;

/** Reasons that are named where nothing is left of a selection. */
const NAMED = 3;

/** Checks that found what must not be in a dataset. */
export function checkFailure({ failed }: DatasetCheckError): ExportFailure {
  const found = failed.map(({ id, count }) => `${id}: ${count}`).join(", ");
  return {
    reason: "checks",
    why: `${failed.length === 1 ? "a check" : `${failed.length} checks`} failed (${found})`,
    found: { checks: [...failed] },
    remedies: Object.fromEntries(failed.map(({ id }) => [id, CHECKS[id].remedy])),
  };
}

/** No trajectory passed the selection, or none makes a row. */
export function emptyFailure(result: Extract<ExportResult, { readonly kind: "empty" }>): ExportFailure {
  const { kind: _kind, ...found } = result;
  const { considered, excluded, pairsLeftOut = {}, tasksLeftOut = {} } = found;
  const most = Object.entries({ ...tasksLeftOut, ...pairsLeftOut, ...excluded })
    .sort(([, a], [, b]) => b - a)
    .slice(0, NAMED)
    .map(([reason, count]) => `${reason}: ${count}`);
  return {
    reason: "empty",
    why: `nothing was selected of ${considered} trajectories${most.length === 0 ? "" : ` (${most.join(", ")})`}`,
    found,
    remedies: {
      empty: "widen the dataset's filters, or wait for trajectories that pass them; then ask for it again",
    },
  };
}

/** Leaves word of an export that ended without a version; the report names trajectories and never quotes them. */
export async function reportExport(
  report: Omit<ExportReport, "schema">,
  store: Pick<ObjectStore, "put">,
): Promise<string> {
  const key = exportReportKey(report.dataset);
  const whole: ExportReport = { schema: "gymline.export-report.v1", ...report };
  await store.put(key, Buffer.from(`${JSON.stringify(whole, null, 2)}\n`));
  return key;
}
