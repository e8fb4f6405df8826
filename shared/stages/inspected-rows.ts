import type { RowInspection } from "../dataset/quality/inspect-row.ts";
import type { TargetId } from "../dataset/targets/targets.ts";
import type { Compute } from "../ports/compute.ts";
import type { MadeRow } from "./dataset-rows.ts";
import { inOrder } from "./in-order.ts";

/** Rows looked at side by side, and held meanwhile. */
const WINDOW = 32;

export interface InspectedRow {
  readonly made: MadeRow;
  readonly inspection: RowInspection;
}

/** The rows in their order, each with what its inspection found: those that were not looked at as they were made are now. */
export async function* inspectedRows(
  rows: AsyncIterable<MadeRow>,
  { target, compute }: { readonly target: TargetId; readonly compute: Compute },
): AsyncGenerator<InspectedRow> {
  const work = async ({ line, inspection }: MadeRow) =>
    inspection ?? (await compute.inspect({ line, target }));
  for await (const { of, result } of inOrder(rows, { width: WINDOW, work })) {
    yield { made: of, inspection: result };
  }
}
