import * as z from "zod";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/**
 * Bounds on untrusted input. Sizes are in bytes. `maxExpansionRatio` (expanded / compressed) counts only once
 * 16 MiB have come out, since a short, repetitive log legitimately compresses very well.
 */
export const readingLimitsSchema = z
  .strictObject({
    /** The object as dropped, before decompression. */
    maxObjectBytes: z
      .int()
      .positive()
      .default(16 * GIB),
    /** One record (one trajectory's part of a file). */
    maxRecordBytes: z
      .int()
      .positive()
      .default(64 * MIB),
    maxExpansionRatio: z.number().positive().default(200),
    /** All bytes that come out of one dropped object. */
    maxExpandedBytes: z
      .int()
      .positive()
      .default(64 * GIB),
    maxZipEntries: z.int().positive().default(100_000),
    /** JSON nesting: arrays and objects inside one another. */
    maxDepth: z.int().positive().default(200),
    /** Archives (zip) inside one another: 1 allows a plain zip, 2 a zip in a zip. */
    maxArchiveNesting: z.int().nonnegative().default(2),
    /** Rejections listed one by one for one file; the rest are counted in one more. */
    maxRejectionsPerFile: z.int().positive().default(1000),
  })
  .readonly();

export type ReadingLimits = z.infer<typeof readingLimitsSchema>;

/** Expanded bytes from which on the expansion ratio is checked. */
export const RATIO_FLOOR_BYTES = 16 * MIB;
