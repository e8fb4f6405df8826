/** `source` of a local Batch runner's events where the bus keeps `aws.*` for itself, as AWS does. */
export const FALLBACK_SOURCE = "gymline.batch";
