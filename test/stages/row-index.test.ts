import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UNKNOWN_INDEX, withIndex } from "../../shared/stages/row-index.ts";

const bytesOf = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value)}\n`);

describe("withIndex", () => {
  it("puts the index into its column, whatever the texts before it look like", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constant(`"index":${UNKNOWN_INDEX}`),
      fc.constant(JSON.stringify({ index: UNKNOWN_INDEX })),
      fc.constant(JSON.stringify(JSON.stringify({ index: UNKNOWN_INDEX }))),
    );
    fc.assert(
      fc.property(text, text, fc.nat(), (before, after, index) => {
        const row = (at: number) => ({
          before,
          extra_info: { split: "train", index: at, task: after },
          after,
        });
        const line = withIndex(bytesOf(row(UNKNOWN_INDEX)), index);
        expect(Buffer.from(line).toString()).toBe(Buffer.from(bytesOf(row(index))).toString());
        const without = bytesOf({ before, after });
        expect(withIndex(without, index)).toBe(without);
      }),
    );
  });
});
