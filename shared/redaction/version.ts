/** Rises whenever the same text could be redacted otherwise, so that `reprocess` finds old documents. */
export const REDACTION_VERSION = "gymline.redaction.v1";
