import type { RenderedRow } from "./compute.ts";

/** Which document and which score a row was rendered from; it follows from them and nothing else. */
export interface RowSource {
  readonly id: string;
  readonly revision: string;
  readonly scorer: string;
}

/** Rows of a dataset that were rendered along with ingest, so that the export need not read their documents again. */
export interface KeptRows {
  /** The row of just this document and score; undefined where it was not kept, for whatever reason. */
  take(source: RowSource): Promise<RenderedRow | undefined>;
}
