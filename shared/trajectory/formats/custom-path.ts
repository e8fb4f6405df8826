import { field, list } from "./read.ts";

export type Segment =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "each" };

const TOKEN = /\.?([A-Za-z_][\w-]*)|\[(-?\d{1,9})\]|\[(\*)\]|\[("(?:[^"\\]|\\.)*")\]/y;

/**
 * A path into a JSON value: `task.id`, `steps[*].tool`, `steps[-1]`, `meta["odd key"]`; a leading `$` may stand
 * for the value itself. A negative index counts from the end.
 * @returns undefined where the text is no path.
 */
export function parsePath(path: string): readonly Segment[] | undefined {
  let at = path.startsWith("$") ? 1 : 0;
  const segments: Segment[] = [];
  while (at < path.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(path);
    if (match === null) return undefined;
    const [token, name, index, each, quoted] = match;
    // Only the first name of a path without "$" stands without its dot.
    if (name !== undefined && token.startsWith(".") === (at === 0)) return undefined;
    if (name !== undefined) segments.push({ kind: "key", key: name });
    else if (index !== undefined) segments.push({ kind: "index", index: Number(index) });
    else if (each !== undefined) segments.push({ kind: "each" });
    else if (quoted !== undefined) {
      const key = unquote(quoted);
      if (key === undefined) return undefined;
      segments.push({ kind: "key", key });
    }
    at += token.length;
  }
  return segments;
}

function unquote(text: string): string | undefined {
  try {
    const key: unknown = JSON.parse(text);
    return typeof key === "string" ? key : undefined;
  } catch {
    return undefined;
  }
}

/** All values that a path leads to, in document order; own properties only. */
export function readAll(value: unknown, path: readonly Segment[]): readonly unknown[] {
  let found: unknown[] = [value];
  for (const segment of path) {
    const next: unknown[] = [];
    for (const item of found) {
      if (segment.kind === "key") next.push(field(item, segment.key));
      else if (segment.kind === "index") next.push(list(item)?.at(segment.index));
      else for (const element of list(item) ?? []) next.push(element);
    }
    found = next.filter((item) => item !== undefined);
  }
  return found;
}

/** The first value that a path leads to and that is not null; undefined where there is none. */
export function readFirst(value: unknown, path: readonly Segment[]): unknown {
  return readAll(value, path).find((item) => item !== null);
}

/** A path as reports show it, from the record's root `$`. */
export function shownPath(path: string): string {
  if (path.startsWith("$")) return path;
  return path.startsWith("[") ? `$${path}` : `$.${path}`;
}
