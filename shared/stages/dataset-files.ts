import { createHash, type Hash } from "node:crypto";
import type { Manifest } from "../dataset/manifest.ts";
import type { SplitName } from "../dataset/split.ts";
import type { Column } from "../dataset/targets/column-type.ts";
import {
  type FileFormat,
  type GroupEncoder,
  type RowEncoder,
  rowEncoder,
} from "../dataset/targets/row-encoder.ts";
import type { ObjectStore, ObjectWriter } from "../ports/object-store.ts";
import { releaseBytes } from "./release-bytes.ts";

const SPLITS: readonly SplitName[] = ["train", "validation", "test"];

export interface FileLayout {
  readonly format: FileFormat;
  readonly columns: readonly Column[];
  /** Encodes a row group of Parquet. */
  readonly encode: GroupEncoder;
  /** Not given: one file for each split. */
  readonly shardRows: number | undefined;
  /** A task's rows stay in one file, even if that makes it longer. */
  readonly keepTasksTogether: boolean;
}

interface OpenFile {
  readonly path: string;
  readonly writer: ObjectWriter;
  readonly encoder: RowEncoder;
  readonly hash: Hash;
  readonly tasks: Set<string>;
  lastTask: string | undefined;
  rows: number;
  bytes: number;
}

type Written = Manifest["files"][number];

/** The files of a dataset version: of each split one, or one after another. */
export class DatasetFiles {
  readonly #prefix: string;
  readonly #store: ObjectStore;
  readonly #layout: FileLayout;
  readonly #open = new Map<SplitName, OpenFile>();
  readonly #done = new Map<SplitName, Written[]>();

  constructor(place: { readonly prefix: string; readonly store: ObjectStore }, layout: FileLayout) {
    this.#prefix = place.prefix;
    this.#store = place.store;
    this.#layout = layout;
  }

  /** Takes the line: its memory may be gone afterwards. */
  async write(split: SplitName, taskKey: string, line: Uint8Array): Promise<void> {
    const file = await this.#fileFor(split, taskKey);
    file.rows += 1;
    file.tasks.add(taskKey);
    file.lastTask = taskKey;
    const bytes = await file.encoder.add(line);
    await put(file, bytes);
    if (bytes === line) releaseBytes(line);
  }

  async finish(): Promise<Manifest["files"]> {
    for (const split of SPLITS) await this.#close(split);
    return SPLITS.flatMap((split) => this.#done.get(split) ?? []);
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    for (const { writer } of this.#open.values()) await writer.abort();
    for (const { path } of [...this.#done.values()].flat()) await this.#store.remove(this.#prefix + path);
  }

  async #fileFor(split: SplitName, taskKey: string): Promise<OpenFile> {
    const file = this.#open.get(split);
    if (file !== undefined && !this.#isFull(file, taskKey)) return file;
    await this.#close(split);
    return this.#begin(split);
  }

  #isFull(file: OpenFile, taskKey: string): boolean {
    const { shardRows, keepTasksTogether } = this.#layout;
    if (shardRows === undefined || file.rows < shardRows) return false;
    return !(keepTasksTogether && file.lastTask === taskKey);
  }

  async #begin(split: SplitName): Promise<OpenFile> {
    const { shardRows, format } = this.#layout;
    const number = String(this.#done.get(split)?.length ?? 0).padStart(5, "0");
    const path = `${split}${shardRows === undefined ? "" : `-${number}`}.${format}`;
    const file: OpenFile = {
      path,
      writer: await this.#store.writer(this.#prefix + path),
      encoder: rowEncoder(format, this.#layout),
      hash: createHash("sha256"),
      tasks: new Set(),
      lastTask: undefined,
      rows: 0,
      bytes: 0,
    };
    this.#open.set(split, file);
    return file;
  }

  async #close(split: SplitName): Promise<void> {
    const file = this.#open.get(split);
    if (file === undefined) return;
    await put(file, await file.encoder.end());
    await file.writer.finish();
    this.#open.delete(split);
    const { path, rows, bytes } = file;
    const sha256 = file.hash.digest("hex");
    const written = this.#done.get(split) ?? [];
    written.push({ path, split, rows, tasks: file.tasks.size, bytes, sha256 });
    this.#done.set(split, written);
  }
}

async function put(file: OpenFile, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0) return;
  file.hash.update(bytes);
  file.bytes += bytes.length;
  await file.writer.write(bytes);
}
