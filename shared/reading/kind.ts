import { isSpace, opensValue } from "./piece.ts";
import type { Fault } from "./rejection.ts";

/** Bytes of a file that tell its kind. */
export const HEAD_BYTES = 512;

export type FileKind =
  | { readonly kind: "text" | "gzip" | "zstd" | "zip" }
  | { readonly kind: "unsupported"; readonly fault: Fault };

const UNPACK = "Unpack it and drop the logs, or pack them as zip, gzip or Zstandard.";
const EXPORT = "Export the data as JSON or JSON Lines.";

/** Magic numbers as Latin-1 text. */
const UNSUPPORTED: readonly {
  readonly magic: string;
  readonly at?: number;
  readonly title: string;
  readonly remedy: string;
}[] = [
  { magic: "BZh", title: "bzip2 data", remedy: UNPACK },
  { magic: "\xfd7zXZ\0", title: "xz data", remedy: UNPACK },
  { magic: "7z\xbc\xaf\x27\x1c", title: "a 7-Zip archive", remedy: UNPACK },
  { magic: "Rar!\x1a\x07", title: "a RAR archive", remedy: UNPACK },
  { magic: "ustar", at: 257, title: "a tar archive", remedy: UNPACK },
  { magic: "\x04\x22\x4d\x18", title: "LZ4 data", remedy: UNPACK },
  { magic: "PAR1", title: "a Parquet file", remedy: EXPORT },
  { magic: "ARROW1\0\0", title: "an Arrow file", remedy: EXPORT },
  { magic: "SQLite format 3\0", title: "an SQLite database", remedy: EXPORT },
  { magic: "\x89PNG", title: "an image", remedy: EXPORT },
  { magic: "\xff\xd8\xff", title: "an image", remedy: EXPORT },
  { magic: "%PDF-", title: "a PDF document", remedy: EXPORT },
  { magic: "\x7fELF", title: "a program", remedy: "Leave it out of the drop." },
];

/** Order matters: the UTF-32 mark begins with the UTF-16 one. */
const ENCODINGS: readonly { readonly title: string; readonly matches: (head: Uint8Array) => boolean }[] = [
  { title: "UTF-32", matches: (head) => starts(head, "\xff\xfe\0\0") || starts(head, "\0\0\xfe\xff") },
  { title: "UTF-16", matches: (head) => starts(head, "\xff\xfe") || starts(head, "\xfe\xff") },
  { title: "UTF-32", matches: ([a, b, c, d]) => isText(a) && b === 0 && c === 0 && d === 0 },
  { title: "UTF-32", matches: ([a, b, c, d]) => a === 0 && b === 0 && c === 0 && isText(d) },
  { title: "UTF-16", matches: ([a, b, c, d]) => isText(a) && b === 0 && isText(c) && d === 0 },
  { title: "UTF-16", matches: ([a, b, c, d]) => a === 0 && isText(b) && c === 0 && isText(d) },
];

/** Tells what a file is from its first bytes; its name is not asked. */
export function kindOf(head: Uint8Array): FileKind {
  if (starts(head, "\x1f\x8b")) return { kind: "gzip" };
  if (starts(head, "\x28\xb5\x2f\xfd") || isSkippableFrame(head)) return { kind: "zstd" };
  if (starts(head, "PK\x03\x04") || starts(head, "PK\x05\x06")) return { kind: "zip" };
  const known = UNSUPPORTED.find(({ magic, at }) => starts(head, magic, at));
  if (known !== undefined) {
    return unsupported({
      code: "unsupported-format",
      reason: `The file is ${known.title}.`,
      remedy: known.remedy,
    });
  }
  const encoding = ENCODINGS.find(({ matches }) => matches(head));
  if (encoding !== undefined) {
    return unsupported({
      code: "unsupported-encoding",
      reason: `The text is encoded in ${encoding.title}.`,
      remedy: "Convert it to UTF-8.",
    });
  }
  if (!startsLikeJson(head) && head.some(isControl)) {
    return unsupported({
      code: "binary",
      reason: "The file is binary data of a kind not known.",
      remedy: "Leave it out of the drop, or export it as JSON or JSON Lines.",
    });
  }
  return { kind: "text" };
}

function unsupported(fault: Fault): FileKind {
  return { kind: "unsupported", fault };
}

function starts(head: Uint8Array, magic: string, at = 0): boolean {
  if (head.length < at + magic.length) return false;
  for (let index = 0; index < magic.length; index += 1) {
    if (head[at + index] !== magic.charCodeAt(index)) return false;
  }
  return true;
}

function isSkippableFrame(head: Uint8Array): boolean {
  return starts(head, "\x2a\x4d\x18", 1) && ((head[0] ?? 0) & 0xf0) === 0x50;
}

function isText(byte: number | undefined): boolean {
  return byte !== undefined && (isSpace(byte) || (byte >= 0x20 && byte < 0x7f));
}

/** Control codes that no text has: not tab, line feed, form feed, carriage return, escape. */
function isControl(byte: number): boolean {
  return byte < 0x20 && !isSpace(byte) && byte !== 0x0c && byte !== 0x1b;
}

function startsLikeJson(head: Uint8Array): boolean {
  const from = starts(head, "\xef\xbb\xbf") ? 3 : 0;
  return opensValue(head.subarray(from).find((byte) => !isSpace(byte)));
}
