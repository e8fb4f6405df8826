import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { UsageError } from "./usage-error.ts";

const PIECE_BYTES = 1 << 20;

/** SHA-256 of a file's bytes, or of the names and hashes of all files of a folder. @throws UsageError */
export function hashOfPath(path: string): string {
  if (!existsSync(path))
    throw new UsageError(`there is no ${path}: give the path of what the agent is made of`);
  if (statSync(path).isFile()) return hashOfFile(path);
  const names = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash("sha256");
  for (const name of names) hash.update(JSON.stringify([relative(path, name), hashOfFile(name)]));
  return hash.digest("hex");
}

/** Of what acts in the folder of an exported model: a run's has checkpoints beside it. @throws UsageError */
export function hashOfModel(model: string): string {
  const inner = join(model, "onnx");
  return hashOfPath(existsSync(join(inner, "config.json")) ? inner : model);
}

/** Piece by piece: a model's file may be larger than memory. */
function hashOfFile(path: string): string {
  const hash = createHash("sha256");
  const piece = Buffer.alloc(PIECE_BYTES);
  const file = openSync(path, "r");
  try {
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      hash.update(piece.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}
