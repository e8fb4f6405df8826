import { z } from "zod";

/** `source` of all events that this system publishes. */
export const EVENT_SOURCE = "gymline";

/** `detail-type` of the events, with the shape of their `detail`. */
export const DATASET_PUBLISHED = "dataset.published";

/** A dataset version is complete and registered: training may start. May come more than once. */
export const datasetPublishedSchema = z.strictObject({
  schema: z.literal("gymline.dataset-published.v1"),
  name: z.string(),
  version: z.string(),
  format: z.string(),
  rows: z.int(),
  /** Key of the manifest in the store. */
  manifest: z.string(),
});
export type DatasetPublished = z.infer<typeof datasetPublishedSchema>;
