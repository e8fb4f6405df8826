import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileSource } from "../../shared/adapters/local/file-source.ts";
import { readingLimitsSchema } from "../../shared/reading/limits.ts";
import { readRecords } from "../../shared/reading/read-records.ts";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { ingestRecord } from "../../shared/stages/ingest-record.ts";
import { ingestSettings } from "../../shared/stages/ingest-settings.ts";
import { builtinFormats } from "../../shared/trajectory/formats/builtin.ts";
import { isPartOfOne } from "../../shared/trajectory/registry.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";

export interface CanonicalDocument {
  /** File, and the place in it. */
  readonly name: string;
  readonly trajectory: Trajectory;
}

/**
 * Every document that the program makes, as it would store it, of the files under `folder`. A log that it does not
 * read is passed over; a fault of its own is thrown.
 */
export async function* canonicalDocuments(folder: string): AsyncGenerator<CanonicalDocument> {
  const limits = readingLimitsSchema.parse({});
  const formats = builtinFormats;
  const settings = ingestSettings({ formats, limits, redaction: redactionConfigSchema.parse({}) });
  const framer = { isPart: (value: unknown) => isPartOfOne(value, formats) };
  for (const path of await filesUnder(folder)) {
    const source = fileSource({ path, key: relative(folder, path), size: (await stat(path)).size });
    for await (const item of readRecords({ source, limits, framer })) {
      if (item.kind === "rejected") continue;
      const { record } = item;
      const { trajectories, rejections } = ingestRecord(record, settings);
      const fault = rejections.find(({ code }) => code === "internal-fault" || code === "redaction-failed");
      if (fault !== undefined) throw new Error(`${fault.source}: ${fault.reason}`);
      for (const { trajectory, ordinal } of trajectories) {
        const name = [record.source, record.entry, `record ${record.index}`, `part ${ordinal}`].join(" ");
        yield { name, trajectory };
      }
    }
  }
}

async function filesUnder(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
