import type { z } from "zod";
import type { Ledger } from "../ports/ledger.ts";

/** Tries of a change that others keep changing under: each try is a read and a conditional write. */
const TRIES = 20;

/** A record changed again and again while it was to be changed here. */
export class LedgerBusyError extends Error {
  override readonly name = "LedgerBusyError";
  constructor(key: string) {
    super(`the record ${key} was changed by others ${TRIES} times in a row; try again later`);
  }
}

export interface LedgerRecord<T> {
  readonly value: T;
  readonly version: number;
}

/** A record with its schema. @throws ZodError where the record was written by something else */
export async function readRecord<T>(
  ledger: Ledger,
  key: string,
  schema: z.ZodType<T>,
): Promise<LedgerRecord<T> | undefined> {
  const found = await ledger.get(key);
  if (found === undefined) return undefined;
  return { value: schema.parse(JSON.parse(found.value)), version: found.version };
}

/**
 * Changes a record: `change` gets what stands there and says what is to stand there; undefined leaves it as it is.
 * Called again where somebody else was faster. Gives what was written. @throws LedgerBusyError
 */
export async function changeRecord<T>(
  options: { readonly ledger: Ledger; readonly key: string; readonly schema: z.ZodType<T> },
  change: (current: T | undefined) => T | undefined,
): Promise<LedgerRecord<T> | undefined> {
  const { ledger, key, schema } = options;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const found = await readRecord(ledger, key, schema);
    const value = change(found?.value);
    if (value === undefined) return undefined;
    const expected = found?.version ?? 0;
    if ((await ledger.put(key, JSON.stringify(value), expected)) === "stored") {
      return { value, version: expected + 1 };
    }
  }
  throw new LedgerBusyError(key);
}
