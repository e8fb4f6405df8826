import { isUtf8 } from "node:buffer";
import type { Entry } from "yauzl";
import { getFileNameLowLevel } from "yauzl";

import type { Codec } from "./decode.ts";
import type { Fault } from "./rejection.ts";

/** What to do with one entry of a zip's directory. `stored` entries are not compressed. */
export type EntryVerdict =
  | { readonly kind: "read"; readonly name: string; readonly codec: Codec | "stored" }
  | { readonly kind: "skip" }
  | { readonly kind: "fault"; readonly name: string; readonly fault: Fault };

const CODECS: ReadonlyMap<number, Codec | "stored"> = new Map<number, Codec | "stored">([
  [0, "stored"],
  [8, "deflate"],
  [93, "zstd"],
]);

const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const SYMLINK = 0o120000;
/** Systems whose upper attribute half holds a Unix mode (APPNOTE 4.4.2): Unix and macOS. */
const UNIX_MAKERS: ReadonlySet<number> = new Set([3, 19]);

const UNSAFE_NAME: Fault = {
  code: "unsafe-entry-name",
  reason: "The entry's path leads outside the archive or holds control characters or backslashes.",
  remedy: "Pack the archive again with plain relative paths.",
};

/** Judges an entry by its directory record alone. `strictFileNames` must have been set when the zip was opened. */
export function judgeEntry(entry: Entry): EntryVerdict {
  const raw = entryName(entry);
  const name = shown(raw);
  if (isUnsafe(raw)) return { kind: "fault", name, fault: UNSAFE_NAME };
  const segments = raw.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (raw.endsWith("/") || segments.length === 0) return { kind: "skip" };
  if (segments.some((segment) => segment.startsWith(".") || segment === "__MACOSX")) return { kind: "skip" };
  const path = segments.join("/");
  const mode = UNIX_MAKERS.has(entry.versionMadeBy >>> 8)
    ? (entry.externalFileAttributes >>> 16) & FILE_TYPE
    : 0;
  if (mode === DIRECTORY) return { kind: "skip" };
  if (mode === SYMLINK) return { kind: "fault", name: path, fault: special("a symbolic link") };
  if (mode !== 0 && mode !== REGULAR) return { kind: "fault", name: path, fault: special("no regular file") };
  if (entry.isEncrypted()) {
    const fault = {
      code: "encrypted",
      reason: "The entry is encrypted.",
      remedy: "Decrypt it before dropping it.",
    };
    return { kind: "fault", name: path, fault };
  }
  const codec = CODECS.get(entry.compressionMethod);
  if (codec !== undefined) return { kind: "read", name: path, codec };
  return {
    kind: "fault",
    name: path,
    fault: {
      code: "unsupported-compression",
      reason: `The entry is compressed by zip method ${entry.compressionMethod}.`,
      remedy: "Pack it again with deflate, Zstandard or no compression.",
    },
  };
}

function special(what: string): Fault {
  return {
    code: "special-entry",
    reason: `The entry is ${what}.`,
    remedy: "Pack the file it stands for instead.",
  };
}

/** UTF-8 where the bytes are; many tools write it without setting the flag. */
function entryName(entry: Entry): string {
  if (isUtf8(entry.fileNameRaw)) return entry.fileNameRaw.toString("utf8");
  return getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
}

function isUnsafe(name: string): boolean {
  if (name.includes("\\") || name.startsWith("/") || /^[a-zA-Z]:/.test(name)) return true;
  return /[\u0000-\u001f\u007f]/.test(name) || name.split("/").includes("..");
}

function shown(name: string): string {
  return name.replace(/[\u0000-\u001f\u007f]/g, "\ufffd");
}
