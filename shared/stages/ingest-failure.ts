import type { IngestQueueMessage } from "../contracts/messages.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { MessageQueue } from "../ports/queue.ts";
import { rejectionOf } from "../reading/rejection.ts";
import type { IngestReport } from "./ingest.ts";
import { writeRejections } from "./rejection-report.ts";

/**
 * An object of which nothing at all could be used is no case for another try, but for a person: its report stands
 * already, and its message goes to the dead-letter queue at once, to be redriven when the cause is mended.
 */
export async function deadLetter(
  report: Pick<IngestReport, "key" | "rejected" | "counts">,
  ports: { readonly queue: MessageQueue },
): Promise<boolean> {
  const used = Object.values(report.counts).reduce((sum, value) => sum + value, 0);
  if (report.rejected === 0 || used > 0) return false;
  const message: IngestQueueMessage = { schema: "gymline.ingest.v1", key: report.key, force: true };
  await ports.queue.send([JSON.stringify(message)]);
  return true;
}

/**
 * The report of an object whose last try failed. It names the kind of fault, but no content. The catalog notes it
 * after that, so that it goes once the object is taken in.
 */
export async function reportFailure(
  failure: { readonly key: string; readonly error: unknown },
  ports: { readonly store: ObjectStore; readonly catalog: Pick<Catalog, "noteReport"> },
): Promise<void> {
  const { key, error } = failure;
  const rejection = rejectionOf(
    { source: key },
    {
      code: "ingest-failed",
      reason: `it could not be taken in (${error instanceof Error ? error.name : "unknown fault"}); the log of the ingest function says more`,
      remedy: "mend the cause, then send its message again: gymline redrive ingest",
    },
  );
  await writeRejections({ object: key, total: 1, rejections: [rejection] }, ports.store);
  await ports.catalog.noteReport(key);
}
