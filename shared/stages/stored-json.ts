import type { z } from "zod";
import { ObjectNotFoundError, type ObjectStore } from "../ports/object-store.ts";

/** An object of the store is not what its key promises. The message names key, place and remedy, and quotes nothing. */
export class DamagedObjectError extends Error {
  override readonly name = "DamagedObjectError";
  constructor(key: string, fault: string, options?: ErrorOptions) {
    super(
      `${key}: ${fault}; correct or remove this file of the store (gymline doctor --deep says more)`,
      options,
    );
  }
}

/** Reads a JSON object of the store; undefined where it is not there. @throws DamagedObjectError */
export async function readStored<T>(
  key: string,
  schema: z.ZodType<T>,
  store: Pick<ObjectStore, "read">,
): Promise<T | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await store.read(key);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
  const read = parseStored(bytes, schema);
  if (read.kind === "fault") throw new DamagedObjectError(key, read.fault);
  return read.value;
}

export type ParsedObject<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "fault"; readonly fault: string };

/** What is wrong is worded without a value of the object: those may quote a log. */
export function parseStored<T>(bytes: Uint8Array, schema: z.ZodType<T>): ParsedObject<T> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return { kind: "fault", fault: "it is no JSON" };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: "value", value: parsed.data };
  const [issue] = parsed.error.issues;
  return { kind: "fault", fault: `${issue?.path.join(".") || "$"}: ${issue?.message ?? "not valid"}` };
}
