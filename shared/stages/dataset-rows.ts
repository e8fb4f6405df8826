import { scoreKey, trajectoryKey } from "../contracts/keys.ts";
import type { RowInspection } from "../dataset/quality/inspect-row.ts";
import type { SelectedTrajectory } from "../dataset/select.ts";
import type { RowFacts } from "../dataset/tally.ts";
import type { GroupFacts } from "../dataset/targets/grpo-attempt.ts";
import type { TargetId } from "../dataset/targets/targets.ts";
import type { Compute, RefusedRow, RenderedRow } from "../ports/compute.ts";
import type { KeptRows } from "../ports/kept-rows.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Counts } from "../preferences/counts.ts";
import { inOrder } from "./in-order.ts";

/** A row with what it was made of. */
export interface MadeRow {
  readonly task: string;
  /** One line of JSON with its newline. */
  readonly line: Uint8Array;
  readonly inspection: RowInspection;
  readonly members: readonly { readonly id: string; readonly facts: RowFacts }[];
}

export interface RowPorts {
  readonly store: ObjectStore;
  readonly compute: Compute;
  readonly rows?: KeptRows;
  readonly beat?: () => Promise<void>;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What rendering asks of a selected trajectory. */
export interface ToRender extends Pick<SelectedTrajectory, "id" | "taskKey" | "revision" | "scorer"> {
  readonly group?: GroupFacts;
}

/** Rows rendered side by side. */
const WINDOW = 32;

/** A row of each trajectory in the order of the selection; those that make none are counted with the reason. */
export async function* trajectoryRows(
  selected: Iterable<ToRender>,
  of: {
    readonly target: TargetId;
    readonly excluded: Counts;
    readonly ports: RowPorts;
    readonly onRow?: (done: number) => void;
  },
): AsyncGenerator<MadeRow> {
  const { excluded, ports, onRow } = of;
  const work = (each: ToRender): Promise<RenderedRow | RefusedRow> => renderStored(each, of);
  let done = 0;
  for await (const { of: each, result: row } of inOrder(selected, { width: WINDOW, work })) {
    await ports.beat?.();
    done += 1;
    onRow?.(done);
    if ("refused" in row) excluded.add(row.refused);
    else {
      const { facts, ...written } = row;
      yield { task: each.taskKey, ...written, members: [{ id: each.id, facts }] };
    }
  }
}

/** @throws ExportError */
async function renderStored(
  of: ToRender,
  { target, ports }: { readonly target: TargetId; readonly ports: RowPorts },
): Promise<RenderedRow | RefusedRow> {
  const { id, scorer } = of;
  try {
    const kept = scorer === null ? undefined : await ports.rows?.take({ ...of, scorer });
    if (kept !== undefined) return kept;
    const document = await ports.store.read(trajectoryKey(id));
    const score = scorer === null ? undefined : await ports.store.read(scoreKey(id, scorer));
    const { group } = of;
    return await ports.compute.row({ document, score, target, ...(group === undefined ? {} : { group }) });
  } catch (cause) {
    throw new ExportError(id, cause);
  }
}

/** A trajectory of the selection cannot be read back; nothing of the dataset was written. */
export class ExportError extends Error {
  override readonly name = "ExportError";
  readonly id: string;
  constructor(id: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const remedy = "gymline doctor --deep names all that is damaged and how to mend it";
    super(`trajectory ${id} cannot be exported: ${why}. ${remedy}`, { cause });
    this.id = id;
  }
}
