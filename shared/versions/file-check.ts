import { createHash } from "node:crypto";
import { parquetMetadata } from "hyparquet";
import type { WrittenFile } from "../dataset/manifest.ts";

const NEWLINE = 0x0a;

/** The footer of a Parquet file says where it begins; ours take a few KB for each row group. */
const FOOTER_BYTES = 16 << 20;

/** Compares a file, which comes piece by piece, with what the manifest says of it. */
export class FileCheck {
  readonly #said: WrittenFile & { readonly rows?: number };
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #newlines = 0;
  #last = NEWLINE;
  /** Pieces of the end of a Parquet file. */
  #tail: Uint8Array[] = [];
  #tailBytes = 0;

  constructor(said: WrittenFile & { readonly rows?: number }) {
    this.#said = said;
  }

  add(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.#bytes += piece.length;
    if (this.#said.rows === undefined) return;
    if (this.#isParquet) this.#keep(piece);
    else {
      for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) this.#newlines += 1;
      this.#last = piece.at(-1) ?? this.#last;
    }
  }

  faults(): readonly string[] {
    const { bytes, sha256, rows } = this.#said;
    const found: string[] = [];
    if (this.#bytes !== bytes) found.push(`it has ${this.#bytes} bytes, the manifest says ${bytes}`);
    const own = this.#hash.digest("hex");
    if (own !== sha256)
      found.push(`its SHA-256 is ${own.slice(0, 12)}…, the manifest says ${sha256.slice(0, 12)}…`);
    if (rows === undefined) return found;
    const counted = this.#rows();
    if (counted === undefined) found.push("its rows cannot be counted: it is no whole Parquet file");
    else if (counted !== rows) found.push(`it has ${counted} rows, the manifest says ${rows}`);
    return found;
  }

  get #isParquet(): boolean {
    return this.#said.path.endsWith(".parquet");
  }

  #keep(piece: Uint8Array): void {
    this.#tail.push(piece);
    this.#tailBytes += piece.length;
    for (let first = this.#tail[0]; first !== undefined; first = this.#tail[0]) {
      if (this.#tailBytes - first.length < FOOTER_BYTES) return;
      this.#tail.shift();
      this.#tailBytes -= first.length;
    }
  }

  #rows(): number | undefined {
    if (!this.#isParquet) return this.#newlines + (this.#last === NEWLINE ? 0 : 1);
    const bytes = Buffer.concat(this.#tail);
    try {
      const end = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
      return Number(parquetMetadata(end).num_rows);
    } catch {
      return undefined;
    }
  }
}
