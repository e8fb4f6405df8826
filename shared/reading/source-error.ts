/**
 * A source cannot be read on, through no fault of its content. Readers must not take it for bad input: nothing is
 * known of the object, and whoever asked for it tries again or lets it be.
 */
export abstract class SourceError extends Error {
  /** Name of the source. */
  readonly source: string;
  constructor(source: string, message: string, options?: ErrorOptions) {
    super(`${source} ${message}`, options);
    this.source = source;
  }
}

/** The object is not there (any more). */
export class SourceGoneError extends SourceError {
  override readonly name = "SourceGoneError";
  constructor(source: string, options?: ErrorOptions) {
    super(source, "is not there any more: it was removed before it was read; drop it again", options);
  }
}

/** Another object stands in its place since it was opened. */
export class SourceChangedError extends SourceError {
  override readonly name = "SourceChangedError";
  constructor(source: string, options?: ErrorOptions) {
    super(source, "was overwritten while it was read: read it again from the start", options);
  }
}

/** The store did not give the bytes, for another reason than the object; the cause says which. */
export class SourceBrokenError extends SourceError {
  override readonly name = "SourceBrokenError";
  constructor(source: string, options: ErrorOptions) {
    const why = options.cause instanceof Error ? ` (${options.cause.name})` : "";
    super(source, `could not be read on${why}: try again later`, options);
  }
}
