import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { RowInspection } from "../../dataset/quality/inspect-row.ts";
import type { RowFacts } from "../../dataset/tally.ts";
import type { RenderedRow } from "../../ports/compute.ts";
import type { KeptRows, RowSource } from "../../ports/kept-rows.ts";

/** What the file may grow to, and how many rows its index in memory may name: more are rendered again. */
const MAX_BYTES = 8 * 2 ** 30;
const MAX_ROWS = 100_000;

interface Place {
  readonly offset: number;
  /** Bytes of what stands before the line. */
  readonly head: number;
  readonly line: number;
}

/** Stands before each line: the index goes by a part of the id only. */
interface Head {
  readonly key: string;
  readonly facts: RowFacts;
  readonly inspection: RowInspection;
}

/**
 * Rows of the run under way, in one file that only grows and goes with the run. What cannot be kept, because there
 * are too many rows or the disk is full, is rendered from its document like any other row.
 */
export class RowSpool implements KeptRows {
  readonly #path: string;
  readonly #places = new Map<number, Place>();
  #file: number | undefined;
  #size = 0;
  #full = false;

  /** The file is made with the first row. */
  constructor(path: string) {
    this.#path = path;
  }

  keep(source: RowSource, { facts, inspection, line }: RenderedRow): void {
    if (this.#full || this.#places.size >= MAX_ROWS || this.#size >= MAX_BYTES) return;
    const head = serialize({ key: keyOf(source), facts, inspection } satisfies Head);
    try {
      this.#write(head, this.#size);
      this.#write(line, this.#size + head.length);
    } catch {
      this.#full = true;
      return;
    }
    this.#places.set(slotOf(source), { offset: this.#size, head: head.length, line: line.length });
    this.#size += head.length + line.length;
  }

  async take(source: RowSource): Promise<RenderedRow | undefined> {
    const place = this.#places.get(slotOf(source));
    if (place === undefined || this.#file === undefined) return undefined;
    const head = this.#read(place.head, place.offset);
    const line = this.#read(place.line, place.offset + place.head);
    if (head === undefined || line === undefined) return undefined;
    // Our own words of a moment ago.
    const { key, facts, inspection } = deserialize(head) as Head;
    if (key !== keyOf(source)) return undefined;
    return { line, facts, inspection };
  }

  /** In memory of its own, which whoever takes it may release. */
  #read(length: number, offset: number): Buffer | undefined {
    const bytes = Buffer.allocUnsafeSlow(length);
    return this.#file !== undefined && readSync(this.#file, bytes, 0, length, offset) === length
      ? bytes
      : undefined;
  }

  close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#path, { force: true });
  }

  #write(bytes: Uint8Array, at: number): void {
    this.#file ??= this.#open();
    const written = writeSync(this.#file, bytes, 0, bytes.length, at);
    if (written !== bytes.length) throw new Error("a row was not written as a whole");
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true });
    return openSync(this.#path, "wx+");
  }
}

function keyOf({ id, revision, scorer }: RowSource): string {
  return `${id} ${revision} ${scorer}`;
}

/** A number is several times smaller in memory than a key. Of two sources in one slot, the later one is kept. */
function slotOf({ id }: RowSource): number {
  return Number.parseInt(id.slice(0, 12), 16);
}
