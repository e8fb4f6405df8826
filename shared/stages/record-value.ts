import type { ReadingLimits } from "../reading/limits.ts";
import { parseRecord } from "../reading/parse-json.ts";
import { parseValues } from "../reading/parse-values.ts";
import { type Rejection, rejectionOf } from "../reading/rejection.ts";
import type { SourceRecord } from "../reading/source.ts";

export interface RecordValue {
  readonly value: unknown;
  readonly notes: readonly string[];
  /** Lines of the record that could not be read; the others stand. */
  readonly rejections: readonly Rejection[];
  /** The last line was cut off: the writer was stopped in the middle. */
  readonly truncated: boolean;
}

/**
 * The JSON value of a record; of a file whose lines are one trajectory, the list of their values.
 * @throws RecordParseError where nothing of it can be read.
 */
export function recordValue(record: SourceRecord, limits: ReadingLimits): RecordValue {
  if (record.framing !== "lines") {
    return { ...parseRecord(record.bytes, limits), rejections: [], truncated: false };
  }
  const parsed = parseValues(record.bytes, limits);
  const values: unknown[] = [];
  const notes: string[] = [];
  const rejections: Rejection[] = [];
  for (const item of parsed) {
    if (item.kind === "value") {
      values.push(item.value);
      notes.push(...item.notes);
    } else {
      const line = (record.line ?? 1) + item.line - 1;
      rejections.push(rejectionOf({ source: record.source, entry: record.entry, line }, item.fault));
    }
  }
  return { value: values, notes, rejections, truncated: parsed.at(-1)?.kind === "fault" };
}
