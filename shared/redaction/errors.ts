/**
 * A detector failed, so the text may still hold secrets and must not be stored.
 * Names the detector and the place, never the text.
 */
export class RedactionError extends Error {
  override readonly name = "RedactionError";
  readonly detector: string;

  constructor(detector: string, options?: { readonly reason?: string; readonly cause?: unknown }) {
    super(
      `redaction failed in detector "${detector}"${options?.reason ? `: ${options.reason}` : ""}; the record was not redacted and must be rejected`,
    );
    // Only the class of the cause is kept: its message could quote the text.
    this.cause = options?.cause instanceof Error ? options.cause.constructor.name : typeof options?.cause;
    this.detector = detector;
  }
}
