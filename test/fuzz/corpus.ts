import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { memorySource } from "../../shared/reading/byte-streams.ts";
import { type ReadingLimits, readingLimitsSchema } from "../../shared/reading/limits.ts";
import { RecordParseError } from "../../shared/reading/parse-json.ts";
import { readRecords } from "../../shared/reading/read-records.ts";
import type { SourceRecord } from "../../shared/reading/source.ts";
import { recordValue } from "../../shared/stages/record-value.ts";
import type { Format } from "../../shared/trajectory/format.ts";
import { builtinFormats } from "../../shared/trajectory/formats/builtin.ts";
import { createCustomFormat } from "../../shared/trajectory/formats/custom.ts";
import { parseCustomMapping } from "../../shared/trajectory/formats/custom-mapping.ts";
import { detectFormat, isPartOfOne } from "../../shared/trajectory/registry.ts";

const ROOT = join(import.meta.dirname, "../..");
const FIXTURES = join(ROOT, "../shared/fixtures");
const CREW = join(ROOT, "../shared/reference/golden/recorder_crew.json");
const folders = [
  "openhands-v0",
  "openhands-output-jsonl",
  "openhands-swegym-hf",
  "swe-agent",
  "swe-agent-hf",
  "mini-swe-agent",
  "openai-messages",
  "atif",
];

/** A log file as it stands. */
export interface SeedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One parsed log; `lines`: the values of a file that is one log. */
export interface SeedValue {
  readonly name: string;
  readonly value: unknown;
  readonly lines: boolean;
  /** Format and variant. */
  readonly family: string;
}

export interface Corpus {
  /** Says which logs these are. */
  readonly description: string;
  readonly files: readonly SeedFile[];
  /** Parsed logs by format and variant, so that each is as likely as the next, however many logs it has. */
  readonly families: readonly (readonly SeedValue[])[];
}

/** The built-in formats and all mappings of the samples and the guide. */
export function fuzzedFormats(): readonly Format[] {
  const mappings = [
    ...filesBelow(join(ROOT, "shared/samples/mappings")),
    ...filesBelow(join(ROOT, "docs/examples")).filter(({ name }) => name.includes("mapping-")),
  ];
  const custom = mappings.map(({ name, bytes }) =>
    createCustomFormat(parseCustomMapping(JSON.parse(Buffer.from(bytes).toString("utf8")), name)),
  );
  return [...builtinFormats, ...custom];
}

export async function loadCorpus(formats: readonly Format[]): Promise<Corpus> {
  const own = [
    ...filesBelow(join(ROOT, "shared/samples/drop")),
    ...filesBelow(join(ROOT, "docs/examples")).filter(({ name }) => name.includes("sample-")),
  ];
  const published = existsSync(FIXTURES) ? folders.flatMap((name) => filesBelow(join(FIXTURES, name))) : [];
  const crew = existsSync(CREW) ? crewLogs() : [];
  const files = [...own, ...published, ...crew];
  const values: SeedValue[] = [];
  const limits = readingLimitsSchema.parse({});
  for (const file of files) values.push(...(await valuesOf(file, formats, limits)));
  const others =
    published.length === 0
      ? "no published logs (../shared/fixtures is absent)"
      : `${published.length + crew.length} published files`;
  const families = [...Map.groupBy(values, ({ family }) => family).values()];
  return {
    description: `${own.length} files of our own, ${others}; ${values.length} logs in them, of ${families.length} formats and variants`,
    files,
    families,
  };
}

function filesBelow(folder: string): readonly SeedFile[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return entries
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ name: relative(ROOT, path), bytes: new Uint8Array(readFileSync(path)) }));
}

function crewLogs(): readonly SeedFile[] {
  const cases = JSON.parse(readFileSync(CREW, "utf8")) as readonly {
    readonly name: string;
    readonly input: { readonly text?: string };
  }[];
  return cases.flatMap(({ name, input }) =>
    input.text === undefined
      ? []
      : [{ name: `crew/${name}.jsonl`, bytes: new TextEncoder().encode(input.text) }],
  );
}

/** Longer logs are more of the same and would take most of the time. */
const MOST_BYTES = 400_000;

async function valuesOf(
  file: SeedFile,
  formats: readonly Format[],
  limits: ReadingLimits,
): Promise<readonly SeedValue[]> {
  const found: SeedValue[] = [];
  const framer = { isPart: (value: unknown) => isPartOfOne(value, formats) };
  for await (const item of readRecords({ source: memorySource(file.name, file.bytes), limits, framer })) {
    if (item.kind === "rejected" || item.record.bytes.length > MOST_BYTES) continue;
    const lines = item.record.framing === "lines";
    const value = parsed(item.record, limits);
    const choice = detectFormat(value, formats);
    const family = choice.kind === "found" ? `${choice.format.name} ${choice.variant}` : "other";
    found.push({ name: file.name, value, lines, family });
  }
  return found;
}

/** Samples that are meant to be broken stand for `null` here; their bytes are mutated as they are. */
function parsed(record: SourceRecord, limits: ReadingLimits): unknown {
  try {
    return recordValue(record, limits).value;
  } catch (error) {
    if (error instanceof RecordParseError) return null;
    throw error;
  }
}
