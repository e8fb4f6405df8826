import { trajectoryKey } from "../contracts/keys.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { readDocument } from "./compute-tasks.ts";
import { inOrder } from "./in-order.ts";

/** A trajectory of the selection cannot be read back, so it cannot be compared with others. */
export class CurationError extends Error {
  override readonly name = "CurationError";
  readonly id: string;
  constructor(id: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const remedy = "gymline doctor --deep names all that is damaged and how to mend it";
    super(`trajectory ${id} cannot be compared with others: ${why}. ${remedy}`, { cause });
    this.id = id;
  }
}

/** Documents read side by side. */
const WINDOW = 16;

/** The documents in the order of the selection, a few read ahead. */
export async function* selectedDocuments<T extends { readonly id: string }>(
  selected: readonly T[],
  { store, beat }: { readonly store: ObjectStore; readonly beat?: () => Promise<void> },
): AsyncGenerator<{ readonly of: T; readonly trajectory: Trajectory }> {
  const work = ({ id }: T): Promise<Uint8Array> =>
    store.read(trajectoryKey(id)).catch((cause: unknown) => {
      throw new CurationError(id, cause);
    });
  for await (const { of, result } of inOrder(selected, { width: WINDOW, work })) {
    await beat?.();
    yield { of, trajectory: parsedOf(of.id, result) };
  }
}

function parsedOf(id: string, document: Uint8Array): Trajectory {
  try {
    return readDocument(document);
  } catch (cause) {
    throw new CurationError(id, cause);
  }
}
