/**
 * Name of the metadata that tells one write from every other: where the answer to a write was lost and the client
 * tried again, S3 says that an object is there already, and only the mark shows whether it is this one.
 */
export const WRITE_MARK = "gymline-write";
