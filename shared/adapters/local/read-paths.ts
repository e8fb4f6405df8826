import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readRecords } from "../../reading/read-records.ts";
import type { Rejection } from "../../reading/rejection.ts";
import type { SourceRecord } from "../../reading/source.ts";
import { type IngestedTrajectory, ingestRecord } from "../../stages/ingest-record.ts";
import type { IngestSettings } from "../../stages/ingest-settings.ts";
import { isPartOfOne } from "../../trajectory/registry.ts";
import { fileSource } from "./file-source.ts";
import { type DropItem, walkDrop } from "./walk.ts";

/** Where in a file a trajectory was found. */
export type RecordPlace = Pick<SourceRecord, "source" | "entry" | "line" | "jsonPath" | "index">;

/** What reading came upon, in order: each file first, then what is in it. */
export type PathItem =
  /** `path`: as given, with the way to the file below it. `bytes`: its size as it lies there. */
  | { readonly kind: "file"; readonly path: string; readonly bytes: number }
  | { readonly kind: "trajectory"; readonly place: RecordPlace; readonly read: IngestedTrajectory }
  | { readonly kind: "rejected"; readonly rejection: Rejection };

/**
 * Reads files and folders into redacted, canonical trajectories and stores nothing. Files are read one after the
 * other in this thread, in the order of the walk, and in bounded memory. What cannot be read is a rejection;
 * nothing is thrown for bad input. Names of sources start with the path as it was given.
 */
export async function* readPaths(options: {
  readonly paths: readonly string[];
  readonly settings: IngestSettings;
}): AsyncGenerator<PathItem> {
  for (const path of options.paths) {
    // A key of the walk is relative to a folder, but the bare name of a file.
    const folder = await isFolder(path);
    for await (const item of walkDrop(path)) {
      const key = item.kind === "file" ? item.key : item.rejection.source;
      yield* readItem(folder ? join(path, key) : path, item, options.settings);
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // The walk says what is wrong with it.
    return false;
  }
}

async function* readItem(name: string, item: DropItem, settings: IngestSettings): AsyncGenerator<PathItem> {
  if (item.kind === "rejected") {
    yield { kind: "rejected", rejection: { ...item.rejection, source: name } };
    return;
  }
  yield { kind: "file", path: name, bytes: item.size };
  const { limits, formats, forced } = settings;
  const framer = {
    isPart: (value: unknown) => isPartOfOne(value, forced === undefined ? formats : [forced]),
  };
  const source = fileSource({ path: item.path, key: name, size: item.size });
  for await (const found of readRecords({ source, limits, framer })) {
    if (found.kind === "rejected") {
      yield found;
      continue;
    }
    const { source: from, entry, line, jsonPath, index } = found.record;
    const place: RecordPlace = {
      source: from,
      index,
      ...(entry === undefined ? {} : { entry }),
      ...(line === undefined ? {} : { line }),
      ...(jsonPath === undefined ? {} : { jsonPath }),
    };
    const { trajectories, rejections } = ingestRecord(found.record, settings);
    for (const read of trajectories) yield { kind: "trajectory", place, read };
    for (const rejection of rejections) yield { kind: "rejected", rejection };
  }
}
