import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { fileSource } from "../../shared/adapters/local/file-source.ts";
import { walkDrop } from "../../shared/adapters/local/walk.ts";
import { parseRecord } from "../../shared/reading/parse-json.ts";
import { parseValues } from "../../shared/reading/parse-values.ts";
import { limitsOf, read } from "./sources.ts";

const FIXTURES = join(import.meta.dirname, "../../../shared/fixtures");

describe("readRecords on logs of real agents", () => {
  it.skipIf(!existsSync(FIXTURES))(
    "finds records in every JSON log (skipped where the folder of real logs, ../shared/fixtures, is absent)",
    async () => {
      const empty: string[] = [];
      const codes = new Set<string>();
      let files = 0;
      for await (const item of walkDrop(FIXTURES)) {
        if (item.kind !== "file" || !/\.(?:jsonl?|traj)$/.test(item.key)) continue;
        files += 1;
        const { records, rejections } = await read(fileSource(item));
        const values = records.flatMap((record): readonly unknown[] =>
          record.framing === "lines"
            ? parseValues(record.bytes, limitsOf())
            : [parseRecord(record.bytes, limitsOf())],
        );
        if (values.length === 0) empty.push(item.key);
        // A few of the logs hold lines of plain text on purpose.
        for (const { code } of rejections) codes.add(code);
      }
      expect(files).toBeGreaterThan(20);
      expect(empty).toEqual([]);
      expect([...codes]).toEqual(["not-json"]);
    },
  );
});
