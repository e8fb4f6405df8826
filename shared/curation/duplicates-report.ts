import { z } from "zod";

const share = z.number().min(0).max(1);

export const duplicateClusterSchema = z.strictObject({
  representative: z.string(),
  /** The best first. `similarity` is to the representative: the smaller one of actions and outputs. */
  members: z.array(
    z.strictObject({
      id: z.string(),
      similarity: share,
      actions: share.nullable(),
      outputs: share.nullable(),
    }),
  ),
});

/** What `gymline duplicates --json` prints. */
export const duplicatesReportSchema = z.strictObject({
  schema: z.literal("gymline.duplicates.v1"),
  threshold: share,
  /** `detection`: chance that a pair exactly at the threshold becomes a candidate; more similar pairs do more often. */
  lsh: z.strictObject({ permutations: z.int(), bands: z.int(), rows: z.int(), detection: share }),
  trajectories: z.int(),
  /** The agent neither did nor saw anything in these: they were compared with nothing. */
  featureless: z.int(),
  /** Pairs that shared a bucket, each band counted, and those whose exact similarity was computed. */
  candidates: z.int(),
  checked: z.int(),
  /** Near-duplicates of a better one: what is left out where a set takes one of each cluster. */
  duplicates: z.int(),
  /** Bytes held for signatures and features. */
  bytes: z.int(),
  clusters: z.array(duplicateClusterSchema),
});

export type DuplicatesReport = z.infer<typeof duplicatesReportSchema>;
export type DuplicateCluster = z.infer<typeof duplicateClusterSchema>;
