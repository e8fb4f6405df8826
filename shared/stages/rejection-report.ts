import { rejectionReportKey } from "../contracts/keys.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Rejection } from "../reading/rejection.ts";

/** Writes what could not be read of a dropped object, or removes the report where there is nothing to report. */
export async function writeRejections(
  report: { readonly object: string; readonly total: number; readonly rejections: readonly Rejection[] },
  store: ObjectStore,
): Promise<void> {
  const key = rejectionReportKey(report.object);
  if (report.rejections.length === 0) {
    await store.remove(key);
    return;
  }
  const json = { schema: "gymline.rejections.v1", ...report };
  await store.put(key, Buffer.from(`${JSON.stringify(json, null, 2)}\n`));
}
