import {
  type ModelChange,
  type ModelLine,
  type ModelState,
  type ModelVersion,
  modelLineSchema,
  type PastVersion,
  pastVersionSchema,
} from "../contracts/model.ts";
import type { Ledger } from "../ports/ledger.ts";
import { changeRecord, readRecord } from "../stages/ledger-record.ts";

/** Prefix of the ledger's records of models; the name follows. */
const MODEL_RECORDS = "model/";
/** Of versions that were put away; name and version follow. */
const PAST_RECORDS = "model-past/";
/** Changes that the record keeps; decisions stay in the store. */
const MOST_CHANGES = 200;
/** Versions in the record, from which so many are put away at a time; DynamoDB takes 400 KB, some 3,000 versions. */
const MOST_VERSIONS = 1000;
const PUT_AWAY = 200;

/** The states of a model's versions; undefined where it has none. */
export async function readLine(name: string, ledger: Ledger): Promise<ModelLine | undefined> {
  return (await readRecord(ledger, MODEL_RECORDS + name, modelLineSchema))?.value;
}

/** With the versions that stand in the record no more, which come first. */
export async function wholeLine(line: ModelLine, ledger: Ledger): Promise<ModelLine> {
  const past: [string, ModelLine["versions"][string]][] = [];
  for await (const { value } of ledger.list(pastKey({ name: line.name, version: "" }))) {
    const { version, state, since } = pastVersionSchema.parse(JSON.parse(value));
    past.push([version, { state, since }]);
  }
  past.sort(([, a], [, b]) => (a.since < b.since ? -1 : 1));
  return { ...line, versions: { ...Object.fromEntries(past), ...line.versions } };
}

export async function* modelLines(ledger: Ledger): AsyncGenerator<ModelLine> {
  for await (const { value } of ledger.list(MODEL_RECORDS)) yield modelLineSchema.parse(JSON.parse(value));
}

/** A version where it stands: in the record of all, or put away. */
export async function withVersion(line: ModelLine, version: string, ledger: Ledger): Promise<ModelLine> {
  return withPast(line, await readPast({ name: line.name, version }, ledger));
}

export function versionIn(
  { versions }: ModelLine,
  version: string,
): ModelLine["versions"][string] | undefined {
  return Object.hasOwn(versions, version) ? versions[version] : undefined;
}

export function withChange(
  line: ModelLine,
  change: Pick<ModelChange, "version" | "to" | "at" | "decision"> & {
    readonly word: Pick<ModelChange, "by" | "reason">;
  },
): ModelLine {
  const { version, to, at, decision, word } = change;
  const from = versionIn(line, version)?.state ?? null;
  const { by, reason } = word;
  return {
    ...line,
    versions: { ...line.versions, [version]: { state: to, since: at } },
    changes: [...line.changes, { version, from, to, at, by, reason, decision }].slice(-MOST_CHANGES),
  };
}

/** `change` sees the version that it is about, if it has one, wherever that stands. */
export async function changeLine(
  { name, version }: { readonly name: string; readonly version?: string },
  ledger: Ledger,
  change: (line: ModelLine) => ModelLine | undefined,
): Promise<boolean> {
  const blank: ModelLine = {
    schema: "gymline.model-line.v1",
    name,
    champion: null,
    before: [],
    challenges: 0,
    versions: {},
    changes: [],
  };
  const past = version === undefined ? undefined : await readPast({ name, version }, ledger);
  const options = { ledger, key: MODEL_RECORDS + name, schema: modelLineSchema };
  const changed = await changeRecord(options, (line) => change(withPast(line ?? blank, past)));
  if (changed === undefined) return false;
  if (Object.keys(changed.value.versions).length > MOST_VERSIONS) await putAway(changed.value, ledger);
  return true;
}

/**
 * Gives the oldest versions that are over and done with records of their own. Where it is stopped in between, a version
 * stands in both, and what the record of all says counts.
 */
async function putAway(line: ModelLine, ledger: Ledger): Promise<void> {
  const isOver = (version: string, state: ModelState): boolean =>
    (state === "rejected" || state === "archived") && !line.before.includes(version);
  const oldest = Object.entries(line.versions)
    .filter(([version, { state }]) => isOver(version, state))
    .sort(([, a], [, b]) => (a.since < b.since ? -1 : 1))
    .slice(0, PUT_AWAY);
  for (const [version, state] of oldest) {
    const key = pastKey({ name: line.name, version });
    await changeRecord({ ledger, key, schema: pastVersionSchema }, () => ({
      schema: "gymline.model-past.v1",
      version,
      ...state,
    }));
  }
  const options = { ledger, key: MODEL_RECORDS + line.name, schema: modelLineSchema };
  await changeRecord(options, (now) => {
    if (now === undefined) return undefined;
    const versions = { ...now.versions };
    for (const [version, { since }] of oldest) {
      // What changed meanwhile stays.
      if (versions[version]?.since === since && !now.before.includes(version)) delete versions[version];
    }
    return { ...now, versions };
  });
}

function pastKey({ name, version }: Pick<ModelVersion, "name" | "version">): string {
  return `${PAST_RECORDS}${name}/${version}`;
}

async function readPast(model: ModelVersion, ledger: Ledger): Promise<PastVersion | undefined> {
  return (await readRecord(ledger, pastKey(model), pastVersionSchema))?.value;
}

function withPast(line: ModelLine, past: PastVersion | undefined): ModelLine {
  if (past === undefined || versionIn(line, past.version) !== undefined) return line;
  const { version, state, since } = past;
  return { ...line, versions: { [version]: { state, since }, ...line.versions } };
}
