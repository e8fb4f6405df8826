import { isUtf8 } from "node:buffer";
import type { BigIntStats } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, join, sep } from "node:path";

import type { Fault, Rejection } from "../../reading/rejection.ts";
import { rejectionOf } from "../../reading/rejection.ts";

export type DropItem =
  | {
      readonly kind: "file";
      readonly path: string;
      /** Path relative to the drop's root, with `/`; the file's own name when the root is a file. */
      readonly key: string;
      /** In bytes. */
      readonly size: number;
      readonly mtimeNs: bigint;
      readonly ctimeNs: bigint;
    }
  | { readonly kind: "rejected"; readonly rejection: Rejection };

const RETRY = "Check that it still exists and may be read, then run again.";

/**
 * Lists the files of a drop, depth first, each directory by the bytes of its names, so that the order is the same
 * everywhere. Dotfiles are skipped. Links are followed when they stay inside the root, through one linked
 * directory at most: everything inside is listed under its own path anyway.
 */
export async function* walkDrop(root: string): AsyncGenerator<DropItem> {
  let real: string;
  let stats: BigIntStats;
  try {
    real = await realpath(root);
    stats = await stat(real, { bigint: true });
  } catch (error) {
    yield rejected(basename(root), unreadable(error));
    return;
  }
  if (stats.isDirectory()) yield* walkDirectory({ root: real, path: real, key: "", real, linked: false });
  else yield leaf({ path: real, key: basename(root), stats });
}

interface Directory {
  /** Real path of the drop's root. */
  readonly root: string;
  readonly path: string;
  readonly key: string;
  /** Real path of this directory. */
  readonly real: string;
  /** Reached through a link. */
  readonly linked: boolean;
}

async function* walkDirectory(directory: Directory): AsyncGenerator<DropItem> {
  let names: Buffer[];
  try {
    names = await readdir(directory.path, { encoding: "buffer" });
  } catch (error) {
    yield rejected(directory.key === "" ? basename(directory.root) : directory.key, unreadable(error));
    return;
  }
  for (const raw of names.sort(Buffer.compare)) {
    const name = raw.toString("utf8");
    if (name.startsWith(".")) continue;
    const key = directory.key === "" ? name : `${directory.key}/${name}`;
    if (isUtf8(raw)) yield* walkName({ ...directory, path: join(directory.path, name), key });
    else yield rejected(key, BAD_NAME);
  }
}

/** `named.path` and `named.key` are those of the name itself, the rest of its directory. */
async function* walkName(named: Directory): AsyncGenerator<DropItem> {
  const { path, key } = named;
  try {
    const own = await lstat(path, { bigint: true });
    if (own.isDirectory()) {
      yield* walkDirectory({ ...named, real: join(named.real, basename(path)) });
    } else if (own.isSymbolicLink()) {
      yield* walkLink(named);
    } else {
      yield leaf({ path, key, stats: own });
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    yield rejected(key, unreadable(error));
  }
}

async function* walkLink(named: Directory): AsyncGenerator<DropItem> {
  const { path, key } = named;
  const target = await realpath(path);
  if (!isWithin(named.root, target)) {
    yield rejected(key, OUTSIDE);
    return;
  }
  const stats = await stat(target, { bigint: true });
  if (!stats.isDirectory()) {
    yield leaf({ path, key, stats });
  } else if (isWithin(target, named.real)) {
    yield rejected(key, LOOP);
  } else if (named.linked) {
    yield rejected(key, LINK_CHAIN);
  } else {
    yield* walkDirectory({ ...named, real: target, linked: true });
  }
}

function leaf(file: { readonly path: string; readonly key: string; readonly stats: BigIntStats }): DropItem {
  const { path, key, stats } = file;
  if (!stats.isFile()) return rejected(key, SPECIAL);
  return {
    kind: "file",
    path,
    key,
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
  };
}

function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function rejected(source: string, fault: Fault): DropItem {
  return { kind: "rejected", rejection: rejectionOf({ source }, fault) };
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

function unreadable(error: unknown): Fault {
  if (!isSystemError(error)) throw error;
  if (error.code === "ELOOP") return LOOP;
  return { code: "unreadable", reason: `It cannot be read (${error.code}).`, remedy: RETRY };
}

const BAD_NAME: Fault = {
  code: "invalid-name",
  reason: "The name is not valid UTF-8.",
  remedy: "Rename the file.",
};

const OUTSIDE: Fault = {
  code: "link-outside",
  reason: "The symbolic link leads outside the drop folder.",
  remedy: "Copy the file into the drop folder, or drop the folder it is in.",
};

const LOOP: Fault = {
  code: "link-loop",
  reason: "The symbolic link leads back to itself or to a folder it is in.",
  remedy: "Remove the link.",
};

const LINK_CHAIN: Fault = {
  code: "link-chain",
  reason: "The symbolic link is inside a linked folder; its files are read under their own path.",
  remedy: "Remove one of the two links.",
};

const SPECIAL: Fault = {
  code: "special-file",
  reason: "It is a pipe, socket or device, not a regular file.",
  remedy: "Write it to a regular file first.",
};
