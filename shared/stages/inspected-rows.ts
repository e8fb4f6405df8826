import type { RowInspection } from "../dataset/quality/inspect-row.ts";
import type { TargetId } from "../dataset/targets/targets.ts";
import type { Compute } from "../ports/compute.ts";
import type { MadeRow } from "./dataset-rows.ts";

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
  const underWay: Promise<InspectedRow>[] = [];
  try {
    for await (const made of rows) {
      const { line, inspection: known } = made;
      const looked =
        known === undefined
          ? compute.inspect({ line, target }).then((inspection) => ({ made, inspection }))
          : Promise.resolve({ made, inspection: known });
      looked.catch(() => undefined);
      underWay.push(looked);
      const first = underWay.length < WINDOW ? undefined : underWay.shift();
      if (first !== undefined) yield await first;
    }
    for (let first = underWay.shift(); first !== undefined; first = underWay.shift()) yield await first;
  } finally {
    await Promise.allSettled(underWay);
  }
}
