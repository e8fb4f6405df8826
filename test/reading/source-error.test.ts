import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../shared/reading/source.ts";
import { SourceChangedError } from "../../shared/reading/source-error.ts";
import { chunkedSource, read } from "./sources.ts";
import { zipOf } from "./zip-factory.ts";

/** Gives its bytes up to one of them, then is overwritten: no byte behind it is to be had again. */
function overwrittenAt(bytes: Uint8Array, limit: number): ByteSource {
  const whole = chunkedSource(bytes, { sizes: [64] });
  return {
    ...whole,
    async *open(range) {
      let at = range?.start ?? 0;
      for await (const chunk of whole.open(range)) {
        at += chunk.length;
        if (at > limit) throw new SourceChangedError("drop/log");
        yield chunk;
      }
    },
  };
}

const lines = Array.from({ length: 400 }, (_, index) => JSON.stringify({ record: index })).join("\n");
const entry = { name: "a.jsonl", data: lines };

describe("an object that is overwritten while it is read", () => {
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ["text", Buffer.from(lines)],
    ["gzip", gzipSync(lines)],
    ["zip", zipOf([entry, { ...entry, name: "b.jsonl" }])],
    ["zip of stored files", zipOf([{ ...entry, method: 0 }])],
    ["packed zip", gzipSync(zipOf([entry]))],
  ];

  it.each(cases)(
    "ends the reading of %s with that error, wherever it happens, and is no bad input",
    async (_, bytes) => {
      for (let limit = 0; limit < bytes.length; limit += Math.ceil(bytes.length / 40)) {
        await expect(read(overwrittenAt(bytes, limit))).rejects.toBeInstanceOf(SourceChangedError);
      }
      expect((await read(overwrittenAt(bytes, bytes.length))).rejections).toEqual([]);
    },
  );
});
