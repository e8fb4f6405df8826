import type { Transform } from "node:stream";
import { createGunzip, createInflateRaw, createZstdDecompress } from "node:zlib";

import type { Expansion } from "./expansion.ts";
import type { Fault } from "./rejection.ts";
import { StreamFailure } from "./stream-failure.ts";

export type Codec = "gzip" | "zstd" | "deflate";

/** Output of a call that fails is lost inside the decoder, so calls are kept small. */
const INPUT_STEP = 16 * 1024;

/** With a high-water mark of one byte nothing runs ahead of the reader, so no output is dropped on an error. */
const OPTIONS = {
  chunkSize: 64 * 1024,
  readableHighWaterMark: 1,
};

const CREATE: Readonly<Record<Codec, () => Transform & { readonly bytesWritten: number }>> = {
  gzip: () => createGunzip(OPTIONS),
  zstd: () => createZstdDecompress(OPTIONS),
  deflate: () => createInflateRaw(OPTIONS),
};

/**
 * Decompresses a stream of one or more members or frames. Truncated and corrupt input gives everything before the
 * damage (short of at most 64 KiB where the damage is inside a member), then a failure with the compressed offset.
 *
 * @throws {StreamFailure}
 */
export async function* decode(options: {
  readonly input: AsyncIterable<Uint8Array>;
  readonly codec: Codec;
  readonly expansion: Expansion;
}): AsyncGenerator<Uint8Array> {
  const { codec, expansion } = options;
  let decoder: Decoder | undefined;
  let read = 0;
  let expanded = 0;
  const checked = (chunk: Uint8Array): Uint8Array => {
    expanded += chunk.length;
    expansion.add(chunk.length, { read, expanded });
    return chunk;
  };
  try {
    for await (const chunk of options.input) {
      for (let at = 0; at < chunk.length; ) {
        const step = chunk.subarray(at, at + INPUT_STEP);
        decoder ??= new Decoder(CREATE[codec]());
        const before = decoder.consumed;
        read += step.length;
        for await (const output of decoder.write(step)) yield checked(output);
        const used = decoder.consumed - before;
        at += used;
        if (used === step.length) continue;
        // The decoder stopped inside the step: a member or frame ended there.
        read -= step.length - used;
        for await (const output of decoder.rest()) yield checked(output);
        decoder.destroy();
        decoder = undefined;
        if (codec !== "zstd") return;
      }
    }
    if (decoder !== undefined) for await (const output of decoder.end()) yield checked(output);
  } catch (error) {
    if (error instanceof DecoderError)
      throw new StreamFailure({ fault: damaged(codec, error), byteOffset: read, cause: error.cause });
    throw error;
  } finally {
    decoder?.destroy();
  }
}

const TITLES: Readonly<Record<Codec, string>> = { gzip: "gzip", zstd: "Zstandard", deflate: "deflate" };

const WINDOW: Fault = {
  code: "zstd-window",
  reason:
    "The Zstandard data needs more than 128 MiB of memory to decode (it was packed with --long or --ultra).",
  remedy: "Pack it again with a window of at most 128 MiB (--long=27).",
};

function damaged(codec: Codec, error: DecoderError): Fault {
  if (error.code === "ZSTD_error_frameParameter_windowTooLarge") return WINDOW;
  const truncated = error.code === "Z_BUF_ERROR";
  const how = truncated ? "breaks off before its end" : "is corrupt";
  return {
    code: truncated ? "compressed-truncated" : "compressed-corrupt",
    reason: `The ${TITLES[codec]} data ${how}, near the given byte of the compressed data.`,
    remedy: "Copy the file again; if a writer is still at work, wait for it to finish.",
  };
}

class DecoderError extends Error {
  override readonly name = "DecoderError";
  readonly code: string;

  constructor(cause: Error) {
    super("the compressed data cannot be decoded", { cause });
    this.code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  }
}

/** A zlib stream driven step by step: each call gives all output of its input before it returns. */
class Decoder {
  readonly #stream: Transform & { readonly bytesWritten: number };
  #ready: Uint8Array[] = [];
  #written = false;
  #ended = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(stream: Transform & { readonly bytesWritten: number }) {
    this.#stream = stream;
    stream.on("data", (chunk: Uint8Array) => {
      this.#ready.push(chunk);
      stream.pause();
      this.#wake();
    });
    stream.on("end", () => {
      this.#ended = true;
      this.#wake();
    });
    stream.on("error", (error: Error) => {
      this.#error = error;
      this.#wake();
    });
  }

  /** Compressed bytes taken so far. */
  get consumed(): number {
    return this.#stream.bytesWritten;
  }

  async *write(step: Uint8Array): AsyncGenerator<Uint8Array> {
    this.#written = false;
    this.#stream.write(step, () => {
      this.#written = true;
      this.#wake();
    });
    yield* this.#outputUntil(() => this.#written || this.#ended);
  }

  /** The input ends here. */
  async *end(): AsyncGenerator<Uint8Array> {
    this.#stream.end();
    yield* this.rest();
  }

  /** Output of a stream that has ended by itself. */
  async *rest(): AsyncGenerator<Uint8Array> {
    yield* this.#outputUntil(() => this.#ended);
  }

  destroy(): void {
    this.#stream.destroy();
  }

  async *#outputUntil(finished: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      const ready = this.#ready;
      this.#ready = [];
      yield* ready;
      if (this.#ready.length > 0) continue;
      if (this.#error !== undefined) throw new DecoderError(this.#error);
      if (finished()) return;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#stream.resume();
      await woken;
    }
  }
}
