import { z } from "zod";
import type { SourcePlace } from "../../shared/contracts/catalog-row.ts";
import { rejectionReportKey } from "../../shared/contracts/keys.ts";
import type { ModelVersion } from "../../shared/contracts/model.ts";
import type { Manifest } from "../../shared/dataset/manifest.ts";
import type { ObjectState } from "../../shared/ports/catalog.ts";
import { type Rejection, rejectionSchema } from "../../shared/reading/rejection.ts";
import { showModel } from "../../shared/registry/registry.ts";
import { readStored } from "../../shared/stages/stored-json.ts";
import { manifestOf, readManifest } from "../../shared/stages/stored-manifest.ts";
import { findVersion } from "../../shared/versions/find-version.ts";
import { placeOfLine, placeOfRow, type RowPlace } from "../../shared/versions/row-place.ts";
import { inputsOfRow, versionInputs } from "../../shared/versions/version-inputs.ts";
import { type OpenStore, resolveId } from "./store-access.ts";
import { many } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** What a trace starts from, and the trajectories there. */
export type Subject =
  | {
      readonly kind: "model";
      readonly ids: readonly string[];
      readonly model: ModelVersion;
      /** That it was trained on; null where that is not known. */
      readonly dataset: { readonly name: string; readonly version: string } | null;
    }
  | { readonly kind: "trajectory"; readonly ids: readonly string[] }
  | {
      readonly kind: "row";
      readonly ids: readonly string[];
      readonly dataset: string;
      readonly version: string;
      readonly row: RowPlace;
    }
  | {
      readonly kind: "file";
      readonly ids: readonly string[];
      readonly key: string;
      readonly line: number | undefined;
      readonly object: ObjectState | undefined;
      /** What could not be read: of the line, where one is given. */
      readonly rejections: readonly Rejection[];
    };

/** @throws UsageError, UnknownVersionError, ManifestError, DatasetInputsError */
export async function subjectOf(text: string, opened: OpenStore): Promise<Subject> {
  return (
    (await modelSubject(text, opened)) ??
    (await rowSubject(text, opened)) ??
    (await fileSubject(text, opened)) ?? { kind: "trajectory", ids: [await trajectoryId(text, opened)] }
  );
}

async function trajectoryId(text: string, { catalog }: OpenStore): Promise<string> {
  if (!/^[0-9a-f]{4,64}$/i.test(text)) {
    throw new UsageError(
      `"${text}" is no trajectory id (at least 4 hex digits), no key of a dropped file (with :<line>), and no row (<dataset>/<version>:<split>:<number>)`,
    );
  }
  const whole = text.toLowerCase();
  // Of a forgotten one, rows of datasets may be left.
  const isLeft = whole.length === 64 && (await catalog.datasetsOf(whole)).length > 0;
  return isLeft ? whole : resolveId(catalog, text);
}

/** The trajectories that a model learnt from: those of its dataset version. */
async function modelSubject(text: string, { store, ledger }: OpenStore): Promise<Subject | undefined> {
  const [, name = "", version = ""] = /^model:([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (name === "") return undefined;
  const model = { name, version };
  const { facts } = await showModel(model, { store, ledger });
  const { dataset } = facts.lineage;
  const manifest = dataset === null ? undefined : await readManifest(dataset, store);
  const ids: string[] = [];
  if (manifest !== undefined) for await (const { id } of versionInputs(manifest, { store })) ids.push(id);
  return { kind: "model", ids, model, dataset };
}

const ROW = /^(.+):(train|validation|test):([0-9]+)$/;
const DATA_FILE = /^(?:.*\/)?datasets\/([^/]+\/[^/]+)\/([^/]+\.(?:jsonl|parquet))(?::([0-9]+))?$/;

async function rowSubject(text: string, opened: OpenStore): Promise<Subject | undefined> {
  const [, ref, split, number] = ROW.exec(text) ?? [];
  if (ref !== undefined && (split === "train" || split === "validation" || split === "test")) {
    return rowOf(ref, {
      opened,
      text,
      place: (manifest) => placeOfRow(manifest, { split, number: Number(number) }),
    });
  }
  const [, version = "", path = "", line] = DATA_FILE.exec(text) ?? [];
  if (path === "") return undefined;
  const [name = "", id = ""] = version.split("/");
  if (!(await opened.catalog.hasDataset(name, id))) return undefined;
  if (line === undefined) throw new UsageError(`which row? Give ${text}:<number>, from 1`);
  return rowOf(version, {
    opened,
    text,
    place: (manifest) => placeOfLine(manifest, { path, line: Number(line) }),
  });
}

async function rowOf(
  ref: string,
  {
    opened,
    text,
    place,
  }: {
    readonly opened: OpenStore;
    readonly text: string;
    readonly place: (manifest: Manifest) => RowPlace | undefined;
  },
): Promise<Subject> {
  const { store, catalog } = opened;
  const { name, version } = await findVersion(ref, catalog);
  const manifest = await manifestOf({ name, version }, store);
  const row = place(manifest);
  if (row === undefined) {
    const files = manifest.files.map(
      ({ path, split, rows }) => `${path} (${split}) has ${many(rows, "row")}`,
    );
    throw new UsageError(`there is no row ${text}: ${files.join(", ")}`);
  }
  const inputs = await inputsOfRow(manifest, { ...row, store });
  return { kind: "row", ids: inputs.map(({ id }) => id), dataset: name, version, row };
}

const reportSchema = z.object({ rejections: z.array(rejectionSchema) });

/** A dropped file, by its key, by a path that ends in it, or by either with a line. */
async function fileSubject(text: string, opened: OpenStore): Promise<Subject | undefined> {
  const { catalog } = opened;
  const [, before, digits] = /^(.+):([0-9]+)$/.exec(text) ?? [];
  const attempts = [
    { name: text, line: undefined },
    ...(before === undefined ? [] : [{ name: before, line: Number(digits) }]),
  ];
  for (const { name, line } of attempts) {
    for (const { key, entry } of keysIn(name)) {
      const object = await catalog.object(key);
      const ids = [...new Set(await catalog.idsFrom(key))];
      if (object === undefined && ids.length === 0) continue;
      return narrowed({ key, entry, line, object, ids }, opened);
    }
  }
  return undefined;
}

/** The longest first; what follows a `!` is an entry of an archive. */
function* keysIn(name: string): Generator<{ readonly key: string; readonly entry: string | undefined }> {
  const parts = name.split("/");
  for (let from = 0; from < parts.length; from += 1) {
    const key = parts.slice(from).join("/");
    yield { key, entry: undefined };
    const at = key.indexOf("!");
    if (at > 0) yield { key: key.slice(0, at), entry: key.slice(at + 1) };
  }
}

async function narrowed(
  of: {
    readonly key: string;
    readonly entry: string | undefined;
    readonly line: number | undefined;
    readonly object: ObjectState | undefined;
    readonly ids: readonly string[];
  },
  { store, catalog }: OpenStore,
): Promise<Subject> {
  const { key, entry, line, object } = of;
  const isThere = (place: Pick<SourcePlace, "entry" | "line">): boolean =>
    (entry === undefined || place.entry === entry) && (line === undefined || place.line === line);
  const report = await readStored(rejectionReportKey(key), reportSchema, store);
  const rejections = (report?.rejections ?? []).filter((each) =>
    isThere({ entry: each.entry ?? null, line: each.line ?? null }),
  );
  if (entry === undefined && line === undefined)
    return { kind: "file", ids: of.ids, key, line, object, rejections };
  const ids: string[] = [];
  const lines = new Set<number>();
  for (const id of of.ids) {
    const own = (await catalog.places(id)).filter((place) => place.key === key);
    if (own.some(isThere)) ids.push(id);
    for (const place of own) if (place.line !== null) lines.add(place.line);
  }
  if (ids.length === 0 && rejections.length === 0) throw new UsageError(nothingThere(of, [...lines]));
  return { kind: "file", ids, key, line, object, rejections };
}

function nothingThere(
  {
    key,
    entry,
    line,
  }: { readonly key: string; readonly entry: string | undefined; readonly line: number | undefined },
  lines: readonly number[],
): string {
  const place = `${key}${entry === undefined ? "" : `!${entry}`}${line === undefined ? "" : `:${line}`}`;
  if (lines.length === 0) return `no trajectory came from ${place}: the file is one record; give ${key}`;
  const near = lines.toSorted((a, b) => Math.abs(a - (line ?? 0)) - Math.abs(b - (line ?? 0))).slice(0, 5);
  return `no trajectory came from ${place}; lines near it that hold one: ${near.toSorted((a, b) => a - b).join(", ")}`;
}
