/** Reads of values of unknown shape: each gives the wanted type or undefined, never throws. */

export type JsonRecord = Readonly<Record<string, unknown>>;

/** A plain object (no array, no null). */
export function record(value: unknown): JsonRecord | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonRecord)
    : undefined;
}

/** An own property of an object; undefined where `value` is no object or has no such own key. */
export function field(value: unknown, key: string): unknown {
  const object = record(value);
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** An own property reached through nested objects, e.g. `at(row, "info", "exit_status")`. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let current = value;
  for (const key of keys) current = field(current, key);
  return current;
}

export function has(value: unknown, key: string): boolean {
  const object = record(value);
  return object !== undefined && Object.hasOwn(object, key);
}

/** A string, even an empty one. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A string with more than white space in it. */
export function filled(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** A name or id: a filled string, or a finite number as text. */
export function label(value: unknown): string | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return filled(value);
}

export function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** A safe integer. */
export function integer(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

/** A safe integer from 0 upwards. */
export function count(value: unknown): number | undefined {
  const whole = integer(value);
  return whole !== undefined && whole >= 0 ? whole : undefined;
}

export function flag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

export function list(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** The objects of a list; everything else in it is left out. Empty where `value` is no list. */
export function records(value: unknown): readonly JsonRecord[] {
  return Array.isArray(value) ? value.filter((item) => record(item) !== undefined) : [];
}

/** A list of which every element is an integer; undefined otherwise (also for an empty list). */
export function integers(value: unknown): number[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.every((item) => Number.isSafeInteger(item)) ? value : undefined;
}

/** A list of which every element is a finite number; undefined otherwise (also for an empty list). */
export function numbers(value: unknown): number[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.every((item) => number(item) !== undefined) ? value : undefined;
}

/** The value that a JSON text holds; undefined where it is no text or no JSON. */
export function json(value: unknown): unknown {
  if (typeof value !== "string") return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Characters of JSON up to which an unknown field is worth keeping as metadata. */
const SMALL = 2_000;

export interface Rest {
  /** Small values under unknown keys; safe for keys such as `__proto__`. */
  readonly kept: Record<string, unknown>;
  /** Keys whose values are too large to keep. */
  readonly large: readonly string[];
}

/**
 * What stands under the keys that a converter does not know: small values to keep as metadata, the keys of
 * large ones to report as dropped. Null, empty strings, empty lists and empty objects say nothing: left out.
 */
export function rest(value: unknown, usedKeys: Iterable<string>): Rest {
  const fields = record(value);
  // A list of keys is short, and building a set of it for each message would cost more than looking through it.
  const used: readonly string[] = Array.isArray(usedKeys) ? usedKeys : [...usedKeys];
  const kept: [string, unknown][] = [];
  const large: string[] = [];
  for (const key of Object.keys(fields ?? {})) {
    if (used.includes(key)) continue;
    const item = fields?.[key];
    if (saysNothing(item)) continue;
    if (isSmall(item)) kept.push([key, item]);
    else large.push(key);
  }
  return { kept: kept.length === 0 ? {} : Object.fromEntries(kept), large };
}

interface RestSink {
  readonly metadata: Record<string, unknown>;
  drop(path: string, reason: string): void;
}

/** Carries unknown small fields into a builder's metadata and reports the large ones. `path`: e.g. `$`. */
export function keepRest(options: {
  readonly value: unknown;
  readonly used: Iterable<string>;
  readonly path: string;
  readonly sink: RestSink;
}): void {
  const { kept, large } = rest(options.value, options.used);
  for (const [key, value] of Object.entries(kept)) setOwn(options.sink.metadata, key, value);
  for (const key of large) {
    options.sink.drop(keyPath(options.path, key), "a large field that the format does not define");
  }
}

/** Sets an own property under a key that comes from data: `__proto__` becomes a plain key. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** A JSON path; keys that are no plain identifiers could be content and are not quoted. */
export function keyPath(path: string, key: string): string {
  return /^[a-z_][a-z0-9_-]{0,63}$/i.test(key) ? `${path}.${key}` : `${path}.*`;
}

/** `total` of `markers` that hold, as the `near` of a detection, and the phrases of those that do not. */
export function nearness(markers: readonly (readonly [holds: boolean, phrase: string])[]): {
  readonly match: false;
  readonly near: number;
  readonly missing: readonly string[];
} {
  const missing = markers.filter(([holds]) => !holds).map(([, phrase]) => phrase);
  const near = markers.length === 0 ? 0 : (markers.length - missing.length) / markers.length;
  return { match: false, near, missing };
}

function saysNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Bounded: stops as soon as the value is known to be too large. */
function isSmall(value: unknown): boolean {
  let budget = SMALL;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const item = open.pop();
    if (typeof item === "string") budget -= item.length + 2;
    else if (typeof item === "object" && item !== null) {
      const names = Array.isArray(item) ? [] : Object.keys(item);
      for (const name of names) budget -= name.length + 3;
      const values = Object.values(item);
      budget -= values.length + 2;
      if (budget < 0) return false;
      for (const inner of values) open.push(inner);
    } else budget -= 5;
    if (budget < 0) return false;
  }
  return true;
}
