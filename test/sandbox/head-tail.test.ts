import fc from "fast-check";
import { expect, it } from "vitest";
import { HeadTail } from "../../shared/sandbox/head-tail.ts";

it("keeps the first and the last half of a limit and counts the rest, in whatever pieces it comes", () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 });
  fc.assert(
    fc.property(pieces, fc.nat(60), (chunks, limit) => {
      const buffer = new HeadTail(limit);
      for (const chunk of chunks) buffer.push(chunk);
      const all = Buffer.concat(chunks);
      const head = Math.ceil(limit / 2);
      const tail = Math.floor(limit / 2);
      const kept =
        all.length <= limit ? all : Buffer.concat([all.subarray(0, head), all.subarray(all.length - tail)]);
      expect(Buffer.from(buffer.bytes())).toEqual(kept);
      expect(buffer.dropped).toBe(all.length - kept.length);
    }),
  );
});
