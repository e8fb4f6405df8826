import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FileChangedError, hashFile, readRange } from "../../../shared/adapters/aws/file-hashes.ts";
import { chunkedSource } from "../../reading/sources.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes);

describe("the hashes of a file", () => {
  it("are those of the whole and of each part, however its chunks fall", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        sizes,
        fc.integer({ min: 1, max: 90 }),
        async (bytes, sizes, part) => {
          const hashes = await hashFile(chunkedSource(bytes, { sizes }), part);
          expect(hashes.sha256).toBe(sha256(bytes).digest("hex"));
          const parts = Array.from({ length: Math.ceil(bytes.length / part) }, (_, index) =>
            sha256(bytes.subarray(index * part, (index + 1) * part)).digest("base64"),
          );
          expect(hashes.parts).toEqual(parts);
        },
      ),
    );
  });

  it("are not to be had of a file that is shorter than it was", async () => {
    const source = { ...chunkedSource("short"), size: 6 };
    await expect(hashFile(source, 10)).rejects.toBeInstanceOf(FileChangedError);
    await expect(readRange(source, { start: 0, end: 6 })).rejects.toBeInstanceOf(FileChangedError);
  });
});
