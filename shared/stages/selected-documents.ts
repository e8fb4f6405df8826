import { trajectoryKey } from "../contracts/keys.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { readDocument } from "./compute-tasks.ts";

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
  const underWay: { readonly of: T; readonly bytes: Promise<Uint8Array> }[] = [];
  const settle = async (next: (typeof underWay)[number]) => {
    await beat?.();
    try {
      return { of: next.of, trajectory: readDocument(await next.bytes) };
    } catch (cause) {
      throw new CurationError(next.of.id, cause);
    }
  };
  try {
    for (const of of selected) {
      const bytes = store.read(trajectoryKey(of.id));
      bytes.catch(() => undefined);
      underWay.push({ of, bytes });
      const next = underWay.length >= WINDOW ? underWay.shift() : undefined;
      if (next !== undefined) yield await settle(next);
    }
    for (let next = underWay.shift(); next !== undefined; next = underWay.shift()) yield await settle(next);
  } finally {
    await Promise.allSettled(underWay.map(({ bytes }) => bytes));
  }
}
