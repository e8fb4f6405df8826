import { createHash, type Hash } from "node:crypto";
import canonicalize from "canonicalize";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { datasetPrefix, scoreKey, trajectoryKey } from "../contracts/keys.ts";
import { datasetCard } from "../dataset/card.ts";
import { type Manifest, manifestSchema } from "../dataset/manifest.ts";
import { type SelectedTrajectory, Selector } from "../dataset/select.ts";
import { type SplitName, splitOf } from "../dataset/split.ts";
import { Tally } from "../dataset/tally.ts";
import type { Catalog, DatasetRecord, Fence } from "../ports/catalog.ts";
import type { Clock } from "../ports/clock.ts";
import type { Compute, RenderedRow } from "../ports/compute.ts";
import type { KeptRows } from "../ports/kept-rows.ts";
import type { ObjectStore, ObjectWriter } from "../ports/object-store.ts";
import { curate, type DatasetSettings, type EvaluationReader, requestBeforeCuration } from "./curate.ts";

export interface ExportPorts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly compute: Compute;
  readonly clock: Clock;
  /** Rows that need not be rendered again; the dataset is the same, byte for byte, with them or without. */
  readonly rows?: KeptRows;
  readonly onProgress?: (done: number, total: number) => void;
  /** More rows than this are not written: DatasetTooLargeError. */
  readonly maxRows?: number;
  /** Where several processes may export: keeps the right to do so while rows are written, or throws. */
  readonly beat?: () => Promise<void>;
  /** Reads the evaluation sets that a request names in `against`. */
  readonly evaluations?: EvaluationReader;
  /** Asked for just before the dataset is registered, which happens only if it still holds. */
  readonly fence?: () => Promise<Fence>;
}

export type ExportResult =
  | {
      readonly kind: "written" | "unchanged";
      readonly prefix: string;
      readonly manifest: Manifest;
    }
  /** No trajectory passed the selection; nothing was written. */
  | {
      readonly kind: "empty";
      readonly considered: number;
      readonly excluded: Readonly<Record<string, number>>;
    };

/** More rows than `maxRows` were selected; nothing was written. */
export class DatasetTooLargeError extends Error {
  override readonly name = "DatasetTooLargeError";
  constructor(name: string, rows: number) {
    super(`the dataset "${name}" would have ${rows} rows, too many for this process`);
  }
}

/** Version of the row layout: part of every dataset's version. */
const LAYOUT = "gymline.sft-messages.v1";
const SPLITS: readonly SplitName[] = ["train", "validation", "test"];
/** Rows rendered side by side. */
const WINDOW = 32;

/**
 * Selects, splits and writes one SFT dataset version. The version follows from the settings and the selected
 * documents and scores, so the same selection is written once, whoever asks; the manifest is written last.
 */
export async function exportDataset(request: DatasetRequest, ports: ExportPorts): Promise<ExportResult> {
  const selector = new Selector(requestBeforeCuration(request), ports.clock.now());
  const scope = request.project === undefined ? {} : { project: request.project };
  for await (const entry of ports.catalog.select({ ...scope, includeSuperseded: true }))
    selector.offer(entry);
  const { excluded, considered } = selector;
  const candidates = selector.selected.length;
  if (candidates > (ports.maxRows ?? Number.POSITIVE_INFINITY)) {
    throw new DatasetTooLargeError(request.name, candidates);
  }
  const { selected, settings, section } = await curate(selector, { request, ports });
  if (selected.length === 0) return { kind: "empty", considered, excluded };
  const version = versionOf(settings, selected);
  const prefix = datasetPrefix(request.name, version);
  const manifestKey = `${prefix}manifest.json`;
  // One that is written but not registered was left by a killed export: written again, it comes out the same.
  const registered = await ports.catalog.hasDataset(request.name, version);
  if (registered && (await ports.store.exists(manifestKey))) {
    const text = Buffer.from(await ports.store.read(manifestKey)).toString("utf8");
    return { kind: "unchanged", prefix, manifest: manifestSchema.parse(JSON.parse(text)) };
  }
  const files = new SplitFiles(prefix, ports.store);
  const tally = new Tally();
  try {
    const registry = await writeRows({ request, selected, excluded, files, tally, ports });
    if (registry.length === 0) return { kind: "empty", considered, excluded };
    const written = await files.finish();
    const rows = written.reduce((sum, file) => sum + file.rows, 0);
    const manifest: Manifest = {
      schema: "gymline.dataset.v1",
      name: request.name,
      version,
      format: "sft-messages",
      rows,
      files: written,
      settings,
      selection: { considered, selected: rows, excluded, ...unscored(selected) },
      ...(section === undefined ? {} : { curation: section }),
      statistics: tally.statistics(),
    };
    await ports.store.put(`${prefix}README.md`, Buffer.from(datasetCard(manifest)));
    await ports.store.put(manifestKey, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    const dataset = { name: request.name, version, format: manifest.format, rows: registry };
    await ports.catalog.registerDataset(dataset, await ports.fence?.());
    return { kind: "written", prefix, manifest };
  } catch (error) {
    await files.abort();
    throw error;
  }
}

/** How many rows have no score, since it did not come before the deadline. */
function unscored(selected: readonly SelectedTrajectory[]): { readonly unscored?: number } {
  const count = selected.filter(({ scorer }) => scorer === null).length;
  return count === 0 ? {} : { unscored: count };
}

function versionOf(settings: DatasetSettings, selected: readonly SelectedTrajectory[]): string {
  const hash = createHash("sha256").update(canonicalize({ layout: LAYOUT, request: settings }) ?? "");
  for (const { id, revision, scorer } of selected) hash.update(`\n${id} ${revision} ${scorer}`);
  return hash.digest("hex").slice(0, 12);
}

/** Writes the rows in the order of the selection; gives those there are, each with its split. */
async function writeRows(options: {
  readonly request: DatasetRequest;
  readonly selected: readonly SelectedTrajectory[];
  readonly excluded: Record<string, number>;
  readonly files: SplitFiles;
  readonly tally: Tally;
  readonly ports: ExportPorts;
}): Promise<DatasetRecord["rows"]> {
  const { request, selected, excluded, files, tally, ports } = options;
  const written: { readonly id: string; readonly split: SplitName }[] = [];
  const underWay: UnderWay[] = [];
  let done = 0;
  const settleOne = async (): Promise<void> => {
    const next = underWay.shift();
    if (next === undefined) return;
    const row = await next.row;
    await ports.beat?.();
    done += 1;
    ports.onProgress?.(done, selected.length);
    if (row === undefined) {
      const reason = "no message may be trained on";
      excluded[reason] = (excluded[reason] ?? 0) + 1;
      return;
    }
    tally.add(row.facts);
    const split = splitOf(next.taskKey, request.split);
    await files.write(split, next.taskKey, row.line);
    written.push({ id: next.id, split });
  };
  try {
    for (const trajectory of selected) {
      const { id, taskKey } = trajectory;
      const row = render(trajectory, ports);
      row.catch(() => undefined);
      underWay.push({ id, taskKey, row });
      if (underWay.length >= WINDOW) await settleOne();
    }
    while (underWay.length > 0) await settleOne();
  } finally {
    await Promise.allSettled(underWay.map(({ row }) => row));
  }
  return written;
}

interface UnderWay {
  readonly id: string;
  readonly taskKey: string;
  readonly row: Promise<RenderedRow | undefined>;
}

async function render(of: SelectedTrajectory, ports: ExportPorts): Promise<RenderedRow | undefined> {
  const { id, scorer } = of;
  try {
    const kept = scorer === null ? undefined : await ports.rows?.take({ ...of, scorer });
    if (kept !== undefined) return kept;
    const document = await ports.store.read(trajectoryKey(id));
    const score = scorer === null ? undefined : await ports.store.read(scoreKey(id, scorer));
    return await ports.compute.sftRow(document, score);
  } catch (cause) {
    throw new ExportError(id, cause);
  }
}

/** A trajectory of the selection cannot be read back; nothing of the dataset was written. */
export class ExportError extends Error {
  override readonly name = "ExportError";
  readonly id: string;
  constructor(id: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const remedy = "gymline doctor --deep names all that is damaged and how to mend it";
    super(`trajectory ${id} cannot be exported: ${why}. ${remedy}`, { cause });
    this.id = id;
  }
}

interface OpenFile {
  readonly writer: ObjectWriter;
  readonly hash: Hash;
  readonly tasks: Set<string>;
  rows: number;
  bytes: number;
}

/** One JSONL file per split, written in pieces of about a megabyte. */
class SplitFiles {
  readonly #prefix: string;
  readonly #store: ObjectStore;
  readonly #files = new Map<SplitName, OpenFile>();

  constructor(prefix: string, store: ObjectStore) {
    this.#prefix = prefix;
    this.#store = store;
  }

  async write(split: SplitName, taskKey: string, line: Uint8Array): Promise<void> {
    const file = this.#files.get(split) ?? (await this.#open(split));
    file.hash.update(line);
    file.rows += 1;
    file.bytes += line.length;
    file.tasks.add(taskKey);
    await file.writer.write(line);
  }

  async finish(): Promise<Manifest["files"]> {
    const written: Manifest["files"] = [];
    for (const split of SPLITS) {
      const file = this.#files.get(split);
      if (file === undefined) continue;
      await file.writer.finish();
      const { rows, bytes } = file;
      const sha256 = file.hash.digest("hex");
      written.push({ path: `${split}.jsonl`, split, rows, tasks: file.tasks.size, bytes, sha256 });
    }
    return written;
  }

  async abort(): Promise<void> {
    for (const file of this.#files.values()) await file.writer.abort();
  }

  async #open(split: SplitName): Promise<OpenFile> {
    const writer = await this.#store.writer(`${this.#prefix}${split}.jsonl`);
    const file: OpenFile = { writer, hash: createHash("sha256"), tasks: new Set(), rows: 0, bytes: 0 };
    this.#files.set(split, file);
    return file;
  }
}
