/** The pieces of a URL around "://", as offsets into the text. */
export interface UrlParts {
  readonly scheme: string;
  readonly start: number;
  /** First character after "://". */
  readonly authority: number;
  /** Offset of the "@" that ends the user information, or -1. */
  readonly at: number;
  readonly host: string;
  /** First character after the host. */
  readonly hostEnd: number;
}

const authorityPattern = /[^\s/"'`<>\\\u2e80-\uffff]{1,1024}/y;
const hostPattern = /^(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})/;
const restPattern = /(?:[^\s"'`<>\\{}|^\u2e80-\uffff]){0,4096}/y;

/** Reads the URL whose "://" starts at `colon`; undefined if there is no scheme or host. */
export const readUrl = (text: string, colon: number): UrlParts | undefined => {
  let start = colon;
  while (colon - start < 24 && /[A-Za-z0-9+.-]/.test(text.charAt(start - 1))) start -= 1;
  while (start < colon && !/[A-Za-z]/.test(text.charAt(start))) start += 1;
  if (start === colon) return undefined;
  const authority = colon + 3;
  authorityPattern.lastIndex = authority;
  const raw = authorityPattern.exec(text)?.[0] ?? "";
  const lastAt = raw.lastIndexOf("@");
  const at = lastAt === -1 ? -1 : authority + lastAt;
  const host = hostPattern.exec(raw.slice(lastAt + 1))?.[0] ?? "";
  if (host === "" && at === -1) return undefined;
  const hostEnd = authority + lastAt + 1 + host.length;
  return {
    scheme: text.slice(start, colon).toLowerCase(),
    start,
    authority,
    at,
    host: host.replace(/\.+$/, "").toLowerCase(),
    hostEnd,
  };
};

/** End of the whole URL; apart from `readUrl`, since only few URLs are followed to their end. */
export const urlEnd = (text: string, url: UrlParts): number => {
  restPattern.lastIndex = url.hostEnd;
  const rest = (restPattern.exec(text)?.[0] ?? "").replace(/[.,;:!?'")\]}*]{1,64}$/, "");
  return url.hostEnd + rest.length;
};
