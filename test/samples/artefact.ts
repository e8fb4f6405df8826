import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Packing } from "./plan.ts";

/** One file of the samples: its path below the drop folder, and its bytes. */
export interface Artefact {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export function jsonFile(path: string, value: unknown): Artefact {
  return { path, bytes: Buffer.from(`${JSON.stringify(value, null, 1)}\n`) };
}

export function jsonLines(path: string, values: readonly unknown[]): Artefact {
  return { path, bytes: Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join("")) };
}

export function packed(artefact: Artefact, packing: Packing): Artefact {
  switch (packing) {
    case "plain":
      return artefact;
    case "gzip":
      return { ...artefact, bytes: gzipSync(artefact.bytes) };
    case "zstd":
      return { ...artefact, bytes: zstdCompressSync(artefact.bytes) };
  }
}
