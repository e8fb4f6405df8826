import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type DropItem, walkDrop } from "../../shared/adapters/local/walk.ts";
import { InvalidKeyError, keySegments } from "../../shared/ports/object-key.ts";
import { type Rejection, rejectionOf } from "../../shared/reading/rejection.ts";
import { UsageError } from "./usage-error.ts";

/** A file on its way into the drop bucket. */
export interface DropFile {
  readonly path: string;
  readonly key: string;
  /** In bytes. */
  readonly size: number;
}

export interface DropFiles {
  readonly files: readonly DropFile[];
  readonly rejections: readonly Rejection[];
}

/** What S3 takes, in UTF-8 bytes. */
const MOST_KEY_BYTES = 1024;

/**
 * The files below the paths, in the order of the walk, with their keys: the way below the path that was given, after
 * the project's label if there is one. @throws UsageError where two files would be one object
 */
export async function findDropFiles(
  paths: readonly string[],
  project: string | undefined,
): Promise<DropFiles> {
  const prefix = project === undefined ? "" : `${projectLabel(project)}/`;
  const files: DropFile[] = [];
  const rejections: Rejection[] = [];
  const byKey = new Map<string, string>();
  for (const path of paths) {
    const folder = await isFolder(path);
    for await (const item of walkDrop(path)) {
      const found = fileOf(item, { prefix, shown: (key) => (folder ? join(path, key) : path) });
      if (found.kind === "rejected") {
        rejections.push(found.rejection);
        continue;
      }
      const { file } = found;
      const other = byKey.get(file.key);
      if (other !== undefined) {
        throw new UsageError(
          `${other} and ${file.path} would both be ${file.key}: drop them one after the other, each with a --project of its own, or the folder they are both in`,
        );
      }
      byKey.set(file.key, file.path);
      files.push(file);
    }
  }
  return { files, rejections };
}

type Found =
  | { readonly kind: "file"; readonly file: DropFile }
  | { readonly kind: "rejected"; readonly rejection: Rejection };

function fileOf(
  item: DropItem,
  place: { readonly prefix: string; readonly shown: (key: string) => string },
): Found {
  if (item.kind === "rejected") {
    const source = place.shown(item.rejection.source);
    return { kind: "rejected", rejection: { ...item.rejection, source } };
  }
  const path = place.shown(item.key);
  const key = place.prefix + item.key;
  const bytes = Buffer.byteLength(key);
  if (bytes > MOST_KEY_BYTES) {
    const fault = {
      code: "key-too-long",
      reason: `Its path has ${bytes} bytes below the folder that was given; S3 takes ${MOST_KEY_BYTES}.`,
      remedy: "Give a folder nearer to it, or shorten the names.",
    };
    return { kind: "rejected", rejection: rejectionOf({ source: path }, fault) };
  }
  return { kind: "file", file: { path, key, size: item.size } };
}

function projectLabel(text: string): string {
  const wrong = (reason: string) =>
    new UsageError(`--project "${text}" is no label: ${reason}; give one name, such as team-a`);
  try {
    if (keySegments(text).length > 1) throw wrong("it has a slash");
    return text;
  } catch (error) {
    if (error instanceof InvalidKeyError) throw wrong("an object cannot have it as a folder");
    throw error;
  }
}

/** @throws UsageError */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw new UsageError(`there is no ${path}; give files or folders of agent logs`, {
      cause,
    });
  }
}
