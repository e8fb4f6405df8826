import type { Rows } from "../columns/compact-rows.ts";
import { scoreKey, trajectoryKey } from "../contracts/keys.ts";
import type { SelectedTrajectory } from "../dataset/select.ts";
import type { RowFacts } from "../dataset/tally.ts";
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
export type ToRender = Pick<SelectedTrajectory, "id" | "taskKey" | "revision" | "scorer">;

/** Rows rendered side by side. */
const WINDOW = 32;

/** A row of each trajectory in the order of the selection; those that make none are counted with the reason. */
export async function* trajectoryRows(
  selected: Rows<ToRender>,
  of: { readonly target: TargetId; readonly excluded: Counts; readonly ports: RowPorts },
): AsyncGenerator<MadeRow> {
  let done = 0;
  for await (const { made } of renderedRows(selected, of)) {
    done += 1;
    of.ports.onProgress?.(done, selected.length);
    if (made !== undefined) yield made;
  }
}

/** The same, with what each row is of; `made` is undefined where a trajectory makes none. */
export async function* renderedRows<T extends ToRender>(
  selected: Iterable<T>,
  of: { readonly target: TargetId; readonly excluded: Counts; readonly ports: RowPorts },
): AsyncGenerator<{ readonly of: T; readonly made: MadeRow | undefined }> {
  const { excluded, ports } = of;
  const work = (each: T): Promise<RenderedRow | RefusedRow> => renderStored(each, of);
  for await (const { of: each, result: row } of inOrder(selected, { width: WINDOW, work })) {
    await ports.beat?.();
    if ("refused" in row) excluded.add(row.refused);
    const { id, taskKey: task } = each;
    const made = "refused" in row ? undefined : { task, line: row.line, members: [{ id, facts: row.facts }] };
    yield { of: each, made };
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
    return await ports.compute.row({ document, score, target });
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
