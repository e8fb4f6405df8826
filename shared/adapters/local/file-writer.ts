import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import type { ObjectWriter } from "../../ports/object-store.ts";

/** What comes in smaller pieces is written together. */
const BUFFER_BYTES = 256 << 10;

/** Writes a file under another name and moves it into place when it is whole. */
export class FileWriter implements ObjectWriter {
  readonly #path: string;
  readonly #place: string;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #used = 0;
  #file: number | undefined;

  constructor(path: string, place: string) {
    this.#path = path;
    this.#place = place;
    this.#file = openSync(path, "wx");
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#used + bytes.length > BUFFER_BYTES) {
      this.#flush();
      // Signals and timers get their turn, however much is written.
      await turn();
    }
    if (bytes.length > BUFFER_BYTES) this.#put(bytes);
    else {
      this.#buffer.set(bytes, this.#used);
      this.#used += bytes.length;
    }
  }

  async finish(): Promise<void> {
    this.#flush();
    fsyncSync(this.#open());
    this.#close();
    renameSync(this.#path, this.#place);
  }

  async abort(): Promise<void> {
    this.#close();
    rmSync(this.#path, { force: true });
  }

  #flush(): void {
    this.#put(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #put(bytes: Uint8Array): void {
    const file = this.#open();
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  }

  #open(): number {
    if (this.#file === undefined) throw new Error(`${this.#place} was finished or given up already`);
    return this.#file;
  }

  #close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
  }
}
