import * as z from "zod";

/**
 * One thing that could not be read: where it is, why, and what to do. Reasons never quote content, since it may be
 * secret. `byteOffset` counts decompressed bytes of the file or archive entry, unless the reason says otherwise.
 */
export const rejectionSchema = z
  .strictObject({
    schema: z.literal("gymline.rejection.v1"),
    source: z.string(),
    entry: z.string().optional(),
    line: z.int().positive().optional(),
    jsonPath: z.string().optional(),
    byteOffset: z.int().nonnegative().optional(),
    /** Stable name of the kind of fault, kebab-case. */
    code: z.string().min(1),
    reason: z.string().min(1),
    remedy: z.string().min(1),
  })
  .readonly();

export type Rejection = z.infer<typeof rejectionSchema>;

/** Where in a dropped object something is. */
export interface Place {
  readonly source: string;
  readonly entry?: string | undefined;
  readonly line?: number | undefined;
  readonly jsonPath?: string | undefined;
  readonly byteOffset?: number | undefined;
}

export interface Fault {
  readonly code: string;
  readonly reason: string;
  readonly remedy: string;
}

export function rejectionOf(place: Place, fault: Fault): Rejection {
  return {
    schema: "gymline.rejection.v1",
    source: place.source,
    ...(place.entry === undefined ? {} : { entry: place.entry }),
    ...(place.line === undefined ? {} : { line: place.line }),
    ...(place.jsonPath === undefined ? {} : { jsonPath: place.jsonPath }),
    ...(place.byteOffset === undefined ? {} : { byteOffset: place.byteOffset }),
    code: fault.code,
    reason: fault.reason,
    remedy: fault.remedy,
  };
}
