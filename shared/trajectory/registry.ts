import type { Detection, Format } from "./format.ts";

const registered = new Map<string, Format>();

/** A format of that name exists already. */
export class DuplicateFormatError extends Error {
  override readonly name = "DuplicateFormatError";
  constructor(formatName: string) {
    super(`a format named "${formatName}" is registered already; give yours another name`);
  }
}

/**
 * Adds a log format of your own to this process. Names are kebab-case and unique.
 * @throws DuplicateFormatError
 */
export function registerFormat(format: Format): void {
  if (registered.has(format.name)) throw new DuplicateFormatError(format.name);
  registered.set(format.name, format);
}

export function registeredFormats(): readonly Format[] {
  return [...registered.values()];
}

export type FormatChoice =
  | { readonly kind: "found"; readonly format: Format; readonly variant: string }
  | { readonly kind: "ambiguous"; readonly names: readonly string[] }
  | {
      readonly kind: "none";
      /** The nearest format and what it missed; absent where the record has nothing in common with any. */
      readonly nearest?: { readonly name: string; readonly missing: readonly string[] };
    };

/** Finds the one format of a record by its content. A generic format counts only where no specific one matches. */
export function detectFormat(value: unknown, formats: readonly Format[]): FormatChoice {
  const matches: { readonly format: Format; readonly variant: string }[] = [];
  let nearest:
    | { readonly name: string; readonly near: number; readonly missing: readonly string[] }
    | undefined;
  for (const format of formats) {
    const detection: Detection = format.detect(value);
    if (detection.match) matches.push({ format, variant: detection.variant });
    else if (detection.near > (nearest?.near ?? 0)) {
      nearest = { name: format.name, near: detection.near, missing: detection.missing };
    }
  }
  const specific = matches.filter(({ format }) => format.generic !== true);
  const candidates = specific.length > 0 ? specific : matches;
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return { kind: "found", ...only };
  if (only !== undefined) return { kind: "ambiguous", names: candidates.map(({ format }) => format.name) };
  return nearest === undefined
    ? { kind: "none" }
    : { kind: "none", nearest: { name: nearest.name, missing: nearest.missing } };
}

/** True where the values at the head of a file are parts of one trajectory for some format. */
export function isPartOfOne(value: unknown, formats: readonly Format[]): boolean {
  return formats.some((format) => format.isPart?.(value) === true);
}
