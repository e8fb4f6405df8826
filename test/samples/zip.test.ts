import * as fc from "fast-check";
import { expect, it } from "vitest";
import { unpacked } from "./unpack.ts";
import { zipOf } from "./writers/zip.ts";

it("packs files so that another reader finds the same names and bytes, checksums included", async () => {
  const name = fc
    .stringMatching(/^[a-zé][a-z0-9é/.-]{0,19}$/)
    .filter((text) => !text.split("/").includes("..") && !text.endsWith("/"));
  const files = fc.uniqueArray(fc.record({ name, bytes: fc.uint8Array({ maxLength: 300 }) }), {
    selector: (file) => file.name,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(files, async (entries) => {
      const found = await unpacked("a.zip", Buffer.from(zipOf(entries)));
      const wanted = entries.map(
        (entry) => [entry.name, Buffer.from(entry.bytes).toString("latin1")] as const,
      );
      expect([...found]).toEqual(wanted);
    }),
    { numRuns: 30 },
  );
});
