import type { Fidelity, Outcome, Task } from "./gymline-extra.ts";
import type { AtifTrajectory } from "./schema.ts";

/** A converted trajectory before it is redacted, identified and given its provenance. */
export interface Draft {
  readonly document: Omit<AtifTrajectory, "schema_version">;
  readonly variant: string;
  readonly session?: string;
  /** Domain the source declares, if it does. */
  readonly domain?: string;
  readonly task: Task;
  readonly outcome: Outcome;
  readonly fidelity: Fidelity;
  readonly startedAt?: string;
  readonly metadata?: Record<string, unknown>;
  /** Attachments by SHA-256; the document refers to them as `blobs/<sha256>`. */
  readonly attachments: ReadonlyMap<string, Attachment>;
  /** The log ends in the middle (seen by the converter, e.g. a last line that was cut off). */
  readonly truncated?: boolean;
}

export interface Attachment {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}
