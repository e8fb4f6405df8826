/** JSON nesting that readers let through; text decoded later (arguments, lists given as a string) is held to it too. */
export const MAX_DEPTH = 200;

/** Is the value nested at most `limit` deep? Does not recurse, so any depth is safe to ask about. */
export function withinDepth(value: unknown, limit: number = MAX_DEPTH): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      if (depth >= limit) return false;
      for (const inner of Array.isArray(item) ? item : Object.values(item)) next.push(inner);
    }
    level = next;
  }
  return true;
}

/** The value that a JSON text holds; undefined where it is no text, no JSON, or nested too deeply. */
export function decodeJson(value: unknown): unknown {
  if (typeof value !== "string") return undefined;
  try {
    const decoded: unknown = JSON.parse(value);
    return withinDepth(decoded) ? decoded : undefined;
  } catch {
    return undefined;
  }
}
