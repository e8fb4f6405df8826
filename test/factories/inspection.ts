import { inspectRow, type RowInspection } from "../../shared/dataset/quality/inspect-row.ts";
import { type TargetId, targetOf } from "../../shared/dataset/targets/targets.ts";
import { estimateTokens } from "../../shared/judge/tokens.ts";
import type { TaskSettings } from "../../shared/stages/compute-tasks.ts";

/** What a row's line shows to whoever reads nothing else, with every text searched anew. */
export function inspectedLineOf(line: Uint8Array, target: TargetId, { ingest }: TaskSettings): RowInspection {
  const by = { target: targetOf(target), redactor: ingest.redactor, countTokens: estimateTokens };
  return inspectRow(JSON.parse(Buffer.from(line).toString("utf8")), by);
}
