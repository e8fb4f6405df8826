import { UsageError } from "../usage-error.ts";

/** Fills in what stands in braces. @throws UsageError for a name that there is not */
export function filled(
  words: readonly string[],
  values: Readonly<Record<string, string | number>>,
): readonly string[] {
  return words.map((word) =>
    word.replace(/\{([a-z]+)\}/g, (_, name: string) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) {
        const known = Object.keys(values).map((each) => `{${each}}`);
        throw new UsageError(`"${word}": there is no {${name}} here; there are ${known.join(", ")}`);
      }
      return String(value);
    }),
  );
}
