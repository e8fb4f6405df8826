import canonicalize from "canonicalize";

/**
 * A text that two values share exactly if they are the same JSON, whatever the order of their keys
 * (RFC 8785). Never throws: what canonical JSON refuses (lone surrogates, non-finite numbers) gets its
 * plain JSON, and what has no JSON at all a text of its own kind.
 */
export function paramKey(params: Readonly<Record<string, unknown>>): string {
  const plain = flatCanonical(params);
  if (plain !== null) return plain;
  try {
    return canonicalize(params) ?? "";
  } catch {
    try {
      return `~${JSON.stringify(params)}`;
    } catch {
      return `~~${Object.keys(params).sort().join("\u0000")}`;
    }
  }
}

/** Most parameters are flat; sorting their few keys is many times cheaper than the general case. */
function flatCanonical(params: Readonly<Record<string, unknown>>): string | null {
  const keys = Object.keys(params);
  if (keys.length > 1) keys.sort();
  let text = "{";
  for (const key of keys) {
    const value = params[key];
    let written: string;
    if (typeof value === "string") {
      if (!value.isWellFormed()) return null;
      written = JSON.stringify(value);
    } else if (typeof value === "number") {
      if (!Number.isFinite(value)) return null;
      written = JSON.stringify(value);
    } else if (value === true) written = "true";
    else if (value === false) written = "false";
    else if (value === null) written = "null";
    else return null;
    if (!key.isWellFormed()) return null;
    text += `${text.length === 1 ? "" : ","}${JSON.stringify(key)}:${written}`;
  }
  return `${text}}`;
}
