import { trajectoryKey } from "../contracts/keys.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { TokenizerError } from "../tokenizer/tokenizer-files.ts";
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

/**
 * What a look at each document gives, in the order of the selection; a few are looked at side by side.
 * @throws CurationError, and what `look` throws of a tokenizer
 */
export async function* selectedDocuments<T extends { readonly id: string }, R>(
  selected: readonly T[],
  {
    store,
    beat,
    look,
  }: {
    readonly store: ObjectStore;
    readonly beat?: () => Promise<void>;
    readonly look: (of: T, document: Uint8Array) => Promise<R>;
  },
): AsyncGenerator<{ readonly of: T; readonly result: R }> {
  const work = async (of: T): Promise<R> => {
    try {
      return await look(of, await store.read(trajectoryKey(of.id)));
    } catch (error) {
      if (error instanceof TokenizerError) throw error;
      throw new CurationError(of.id, error);
    }
  };
  for await (const each of inOrder(selected, { width: WINDOW, work })) {
    await beat?.();
    yield each;
  }
}
