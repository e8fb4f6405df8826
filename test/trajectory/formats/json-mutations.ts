import fc from "fast-check";

/** Values that stand where none of their type belongs. */
export const misfits = fc.oneof(
  fc.constant(null),
  fc.integer(),
  fc.string(),
  fc.boolean(),
  fc.constant([]),
  fc.constant({}),
  fc.constant([null, 1, ["x"], {}]),
  fc.constant(JSON.parse('{"__proto__": {"role": "user"}, "constructor": 1}') as unknown),
);
/** Every place in a value, as keys. */
export function places(value: unknown, at: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, item]) => places(item, [...at, key]))];
}

/** The value with what stands at one place exchanged. */
export function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined || typeof value !== "object" || value === null) return by;
  const copy: unknown[] | Record<string, unknown> = Array.isArray(value) ? [...value] : { ...value };
  const inner: unknown = Object.entries(value).find(([name]) => name === key)?.[1];
  return Object.assign(copy, { [key]: replaced(inner, rest, by) });
}
