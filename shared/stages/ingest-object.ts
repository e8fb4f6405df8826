import type { Drop } from "../ports/drop.ts";
import { SourceGoneError } from "../reading/source-error.ts";
import { type HandOverPorts, type Handover, handOver } from "./hand-over.ts";
import { type IngestPorts, type IngestReport, ingest, OutOfTimeError } from "./ingest.ts";

export interface IngestObjectPorts extends Omit<IngestPorts, "turn">, HandOverPorts {
  readonly drop: Drop;
  /** Revision of the settings in force. */
  readonly revision: string;
  /** A larger object goes to a job; absent: none is too large, this is the job. */
  readonly maxBytes?: number;
}

export type IngestObjectResult =
  /** Deleted since it was announced. */
  | { readonly kind: "gone" }
  /** Read already, whole, with the settings in force. */
  | { readonly kind: "known" }
  | { readonly kind: "handed-over"; readonly jobId: string | undefined }
  | { readonly kind: "read"; readonly report: IngestReport };

/**
 * Takes in what stands under a key of the drop now, whatever the announcement said: an object that was overwritten
 * meanwhile is read as it is, one that was deleted is no fault. What is too large for this process goes to a job.
 * @throws SourceError where it changes or breaks off while it is read: to be tried again
 */
export async function ingestObject(
  message: { readonly key: string; readonly force: boolean },
  ports: IngestObjectPorts,
): Promise<IngestObjectResult> {
  const { drop, catalog, revision, maxBytes } = ports;
  const found = await drop.find(message.key);
  if (found === undefined) return { kind: "gone" };
  const { source, fingerprint } = found;
  if (!message.force) {
    const known = await catalog.object(message.key);
    // What was rejected is tried again: its message comes back only when somebody sends it.
    if (known?.fingerprint === fingerprint && known.revision === revision && known.rejected === 0) {
      return { kind: "known" };
    }
  }
  const toJob = async (): Promise<IngestObjectResult> => {
    const { jobId } = await handOver(jobFor(message, `${fingerprint}\n${revision}`), ports);
    return { kind: "handed-over", jobId };
  };
  if (maxBytes !== undefined && source.size > maxBytes) return await toJob();
  try {
    return { kind: "read", report: await ingest({ source, fingerprint, revision }, ports) };
  } catch (error) {
    if (error instanceof SourceGoneError) return { kind: "gone" };
    if (error instanceof OutOfTimeError && maxBytes !== undefined) return await toJob();
    throw error;
  }
}

function jobFor(message: { readonly key: string; readonly force: boolean }, state: string): Handover {
  const { key, force } = message;
  return {
    kind: "ingest",
    work: key,
    identity: `${key}\n${state}`,
    command: ["job", "ingest", "--key", key, ...(force ? ["--force"] : [])],
  };
}
