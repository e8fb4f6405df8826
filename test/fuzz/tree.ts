/** Helpers over parsed JSON. Objects come from `JSON.parse`, so `__proto__` is an own key where it is one at all. */

export type Json = unknown;
export type Path = readonly (string | number)[];

export function isObject(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every place in a value, itself included, as far as `most` places. */
export function placesOf(value: Json, most: number): readonly Path[] {
  const found: Path[] = [[]];
  const open: { readonly value: Json; readonly path: Path }[] = [{ value, path: [] }];
  for (let next = open.shift(); next !== undefined && found.length < most; next = open.shift()) {
    const inner: readonly (readonly [string | number, Json])[] = Array.isArray(next.value)
      ? next.value.map((item: Json, index) => [index, item] as const)
      : isObject(next.value)
        ? Object.entries(next.value)
        : [];
    for (const [key, item] of inner) {
      const path = [...next.path, key];
      found.push(path);
      if (typeof item === "object" && item !== null) open.push({ value: item, path });
    }
  }
  return found;
}

export function valueAt(value: Json, path: Path): Json {
  let here = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string | number, Json>)[key];
  }
  return here;
}

/** The value with another one at `path`; all else is shared. */
export function put(value: Json, path: Path, by: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value)) {
    return value.map((item: Json, index) => (index === key ? put(item, rest, by) : item));
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, name === key ? put(item, rest, by) : item]),
  );
}
