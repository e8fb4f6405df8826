import type { ReadingLimits } from "../../shared/reading/limits.ts";
import { readingLimitsSchema } from "../../shared/reading/limits.ts";
import type { ReadItem } from "../../shared/reading/read-records.ts";
import { readRecords } from "../../shared/reading/read-records.ts";
import type { Rejection } from "../../shared/reading/rejection.ts";
import { rejectionSchema } from "../../shared/reading/rejection.ts";
import type { ByteSource, RecordFramer, SourceRecord } from "../../shared/reading/source.ts";

export const MIB = 1024 * 1024;

export function limitsOf(limits: Partial<ReadingLimits> = {}): ReadingLimits {
  return readingLimitsSchema.parse(limits);
}

/** Event logs and chat messages are parts; all else is a record of its own. */
export const FRAMER: RecordFramer = {
  isPart: (value) =>
    typeof value === "object" &&
    value !== null &&
    (Object.hasOwn(value, "role") || Object.hasOwn(value, "event")),
};

/** A source that hands out its bytes in chunks of the given sizes, over and over. */
export function chunkedSource(
  content: string | Uint8Array,
  options: { readonly sizes?: readonly number[]; readonly name?: string } = {},
): ByteSource {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const sizes = options.sizes ?? [bytes.length];
  return {
    name: options.name ?? "drop/log",
    size: bytes.length,
    async *open(range) {
      const end = range?.end ?? bytes.length;
      let at = range?.start ?? 0;
      for (let turn = 0; at < end; turn += 1) {
        const next = Math.min(end, at + Math.max(1, sizes[turn % sizes.length] ?? 1));
        yield bytes.slice(at, next);
        at = next;
      }
    },
  };
}

export interface Reading {
  readonly items: readonly ReadItem[];
  readonly records: readonly SourceRecord[];
  readonly rejections: readonly Rejection[];
}

export async function read(
  source: ByteSource,
  options: { readonly limits?: Partial<ReadingLimits>; readonly framer?: RecordFramer } = {},
): Promise<Reading> {
  const items: ReadItem[] = [];
  const limits = limitsOf(options.limits);
  for await (const item of readRecords({ source, limits, framer: options.framer ?? FRAMER }))
    items.push(item);
  return {
    items,
    records: items.flatMap((item) => (item.kind === "record" ? [item.record] : [])),
    rejections: items.flatMap((item) =>
      item.kind === "rejected" ? [rejectionSchema.parse(item.rejection)] : [],
    ),
  };
}

export function textOf(record: SourceRecord | undefined): string {
  return record === undefined ? "(no record)" : new TextDecoder().decode(record.bytes);
}

export function textsOf(reading: Reading): readonly string[] {
  return reading.records.map(textOf);
}

export function codesOf(reading: Reading): readonly string[] {
  return reading.rejections.map((rejection) => rejection.code);
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
