import { createHash } from "node:crypto";
import type { Attachment } from "./draft.ts";
import type { Content, ContentPart } from "./schema.ts";

/** The text of a message or result; media parts become a short mark. */
export function contentText(content: Content | null | undefined): string {
  if (content === null || content === undefined) return "";
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join("\n");
}

export interface ContentSink {
  attach(attachment: Attachment): string;
  drop(path: string, reason: string): void;
}

const IMAGE_TYPES = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);
const AUDIO_TYPES: Readonly<Record<string, string>> = {
  wav: "audio/wav",
  mp3: "audio/mpeg",
  mpeg: "audio/mpeg",
  mp4: "audio/mp4",
  m4a: "audio/mp4",
  aac: "audio/aac",
  ogg: "audio/ogg",
  flac: "audio/flac",
  webm: "audio/webm",
  aiff: "audio/aiff",
};
const DATA_URL = /^data:([a-z]+\/[a-z0-9.+-]+)(?:;[a-z0-9=.+-]+)*;base64,/i;

/**
 * Reads provider message content: a string, or a list of parts in OpenAI (`text`, `image_url`, `input_audio`),
 * Anthropic (`text`, `image` with a `source`) or ATIF form. A single text part becomes a plain string.
 * Base64 media becomes an attachment; what has no place is dropped into `sink`.
 */
export function readContent(value: unknown, path: string, sink: ContentSink): Content {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  if (!Array.isArray(value)) {
    if (typeof value === "object") return JSON.stringify(value);
    return String(value);
  }
  const parts: ContentPart[] = [];
  for (const item of value) {
    const part = readPart(item, path, sink);
    if (part !== undefined) parts.push(part);
  }
  const [only] = parts;
  if (parts.length === 0) return "";
  return parts.length === 1 && only?.type === "text" ? only.text : parts;
}

function readPart(item: unknown, path: string, sink: ContentSink): ContentPart | undefined {
  if (typeof item === "string") return { type: "text", text: item };
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    sink.drop(`${path}[*]`, "content part is no object");
    return undefined;
  }
  const part = item as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(part, "cache_control") && part["cache_control"] !== null) {
    sink.drop(`${path}[*].cache_control`, "a caching hint, not content");
  }
  if (typeof part["text"] === "string") return { type: "text", text: part["text"] };
  const media = mediaOf(part);
  if (media === undefined) {
    sink.drop(`${path}[*]`, `content part of type ${label(part["type"])} has no place in ATIF`);
    return { type: "text", text: `[${label(part["type"])} not kept]` };
  }
  return mediaPart(media, path, sink);
}

interface Media {
  readonly kind: "image" | "audio";
  readonly url: string;
  readonly mediaType?: string;
}

function mediaOf(part: Readonly<Record<string, unknown>>): Media | undefined {
  const image = part["image_url"];
  if (typeof image === "string") return { kind: "image", url: image };
  if (isRecord(image) && typeof image["url"] === "string") return { kind: "image", url: image["url"] };
  const audio = part["input_audio"];
  if (isRecord(audio) && typeof audio["data"] === "string") {
    const type = AUDIO_TYPES[String(audio["format"]).toLowerCase()];
    return { kind: "audio", url: `data:${type ?? "audio/unknown"};base64,${audio["data"]}` };
  }
  const source = part["source"];
  const kind = part["type"] === "audio" ? "audio" : "image";
  if (isRecord(source)) {
    const type = typeof source["media_type"] === "string" ? source["media_type"] : undefined;
    if (typeof source["data"] === "string") {
      return { kind, url: `data:${type ?? "image/unknown"};base64,${source["data"]}` };
    }
    const place = source["path"] ?? source["url"];
    if (typeof place === "string")
      return { kind, url: place, ...(type === undefined ? {} : { mediaType: type }) };
  }
  return undefined;
}

function mediaPart(media: Media, path: string, sink: ContentSink): ContentPart {
  const data = DATA_URL.exec(media.url);
  const type = (data?.[1] ?? media.mediaType ?? typeByEnding(media.url))?.toLowerCase();
  const allowed = media.kind === "image" ? IMAGE_TYPES : new Set(Object.values(AUDIO_TYPES));
  if (type === undefined || !allowed.has(type)) {
    sink.drop(`${path}[*]`, `${media.kind} of a media type that ATIF does not know`);
    return { type: "text", text: `[${media.kind} not kept]` };
  }
  const place =
    data === null
      ? media.url
      : sink.attach({ bytes: Buffer.from(media.url.slice(data[0].length), "base64"), mediaType: type });
  // The set membership above is what makes these two literals.
  return { type: media.kind, source: { media_type: type, path: place } } as ContentPart;
}

function typeByEnding(url: string): string | undefined {
  const ending = /\.([a-z0-9]{2,5})(?:[?#].*)?$/i.exec(url.slice(-200))?.[1]?.toLowerCase();
  if (ending === "jpg" || ending === "jpeg") return "image/jpeg";
  if (ending === "png" || ending === "gif" || ending === "webp") return `image/${ending}`;
  return ending === undefined ? undefined : AUDIO_TYPES[ending];
}

export function blobPath(bytes: Uint8Array): { readonly sha256: string; readonly path: string } {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { sha256, path: `blobs/${sha256}` };
}

/** A type name for a report: only plain identifiers are quoted, since anything else could be content. */
function label(type: unknown): string {
  return typeof type === "string" && /^[a-z][a-z0-9_]{0,31}$/i.test(type) ? type : "unknown";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
