import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { ReadingLimits } from "../reading/limits.ts";
import type { RedactionConfig } from "../redaction/config.ts";
import { createRedactor, type Redactor } from "../redaction/redactor.ts";
import { REDACTION_VERSION } from "../redaction/version.ts";
import type { Format } from "../trajectory/format.ts";
import { TRAJECTORY_SCHEMA } from "../trajectory/gymline-extra.ts";
import { CONTENT_ID_VERSION, ID_VERSION } from "../trajectory/identity.ts";

/** All that shapes what ingest makes of a record. */
export interface IngestSettings {
  readonly formats: readonly Format[];
  /** Converts everything with this format, whatever detection says. */
  readonly forced?: Format;
  readonly limits: ReadingLimits;
  readonly redactor: Redactor;
  /** Changes whenever the same record could become another document. */
  readonly revision: string;
}

export function ingestSettings(options: {
  readonly formats: readonly Format[];
  readonly forced?: string;
  readonly limits: ReadingLimits;
  readonly redaction: RedactionConfig;
}): IngestSettings {
  const { formats, forced, limits, redaction } = options;
  const format = forced === undefined ? undefined : formats.find((candidate) => candidate.name === forced);
  if (forced !== undefined && format === undefined) throw new UnknownFormatError(forced, formats);
  const facts = {
    schema: [TRAJECTORY_SCHEMA, ID_VERSION, CONTENT_ID_VERSION, REDACTION_VERSION],
    formats: formats.map(({ name, version }) => `${name}@${version}`).sort(),
    forced: forced ?? null,
    limits,
    redaction,
  };
  const hash = createHash("sha256").update(canonicalize(facts) ?? "");
  return {
    formats,
    ...(format === undefined ? {} : { forced: format }),
    limits,
    redactor: createRedactor(redaction),
    revision: hash.digest("hex").slice(0, 12),
  };
}

export class UnknownFormatError extends Error {
  override readonly name = "UnknownFormatError";
  constructor(wanted: string, formats: readonly Format[]) {
    super(`there is no format "${wanted}"; known are ${formats.map(({ name }) => name).join(", ")}`);
  }
}
