import { mutateBytes } from "./byte-mutations.ts";
import type { Corpus, SeedValue } from "./corpus.ts";
import { mutateJson } from "./json-mutations.ts";
import { plant } from "./plant.ts";
import { createRandom, type Random } from "./random.ts";
import { writeJson } from "./raw-json.ts";

/** A changed log file, and the secret that was hidden in it. */
export interface Mutant {
  readonly bytes: Uint8Array;
  readonly description: string;
  readonly needle: string | undefined;
}

/** Mutant number `index` of a seed: always the same for the same corpus. */
export function makeMutant(corpus: Corpus, seed: number, index: number): Mutant {
  const random = createRandom(seed, index);
  if (random.chance(0.35)) {
    const file = random.pick(corpus.files);
    const other = random.pick(corpus.files);
    const bytes = mutateBytes({ bytes: file.bytes, other: other.bytes, random });
    return { bytes, description: `bytes of ${file.name}`, needle: undefined };
  }
  const chosen = random.pick(random.pick(corpus.families));
  const short = shortened(chosen.value, random);
  const mutated = random.chance(0.85) ? mutateJson(short, random) : short;
  const planted = plant(mutated, random);
  const bytes = new TextEncoder().encode(written({ ...chosen, value: planted.value }, random));
  // Where the log has the same text of its own, its own mutations could have split or hidden it.
  const needle = writeJson(mutated).includes(planted.needle) ? undefined : planted.needle;
  const description = `values of ${chosen.name} with ${planted.secret} ${planted.form}`;
  return { bytes, description, needle };
}

function written(seed: SeedValue, random: Random): string {
  const { value, lines } = seed;
  if (lines && Array.isArray(value) && random.chance(0.9))
    return value.map((line: unknown) => writeJson(line)).join("\n");
  const text = writeJson(value);
  switch (random.int(12)) {
    case 0:
      return `[${text},\n${text}]`;
    case 1:
      return `${text}\n${text}\n`;
    case 2:
      return `\uFEFF${text}`;
    default:
      return text;
  }
}

/** Long lists keep a stretch of their items, so that most mutants are quick. */
function shortened(value: unknown, random: Random): unknown {
  if (Array.isArray(value)) {
    if (value.length <= 12 || random.chance(0.15)) return value;
    const most = 2 + random.int(10);
    const items: readonly unknown[] = value;
    return items.slice(0, most);
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, Array.isArray(item) ? shortened(item, random) : item]),
  );
}
