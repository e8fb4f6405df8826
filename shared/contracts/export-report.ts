import { z } from "zod";
import { checkResultSchema } from "../dataset/quality/checks.ts";

const counts = z.record(z.string(), z.int());

/** Why the last export of a dataset in a deployment wrote no version: `failed-exports/<dataset>.report.json`. */
export const exportReportSchema = z.strictObject({
  schema: z.literal("gymline.export-report.v1"),
  dataset: z.string(),
  cause: z.enum(["threshold", "schedule", "request"]),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  /** `checks`: checks of the dataset failed. `empty`: nothing was left to write. */
  reason: z.enum(["checks", "empty"]),
  /** The same in one line. */
  why: z.string(),
  found: z.strictObject({
    checks: z.array(checkResultSchema).optional(),
    considered: z.int().optional(),
    excluded: counts.optional(),
    pairsLeftOut: counts.optional(),
    tasksLeftOut: counts.optional(),
  }),
  /** What to do, by check. */
  remedies: z.record(z.string(), z.string()),
});
export type ExportReport = Readonly<z.infer<typeof exportReportSchema>>;
