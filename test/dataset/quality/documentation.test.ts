import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { CHECK_IDS, CHECKS, checksSchema } from "../../../shared/dataset/quality/checks.ts";

const page = readFileSync(join(resolve(import.meta.dirname, "../../.."), "docs/QUALITY.md"), "utf8");

describe("docs/QUALITY.md", () => {
  it("lists every check with its severity, in the order of reports", () => {
    const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (fail|warn) +\|/gm)].map(([, id, severity]) => [
      id,
      severity,
    ]);
    expect(rows).toEqual(CHECK_IDS.map((id) => [id, CHECKS[id].severity]));
  });

  it("names every setting, and the defaults that there are", () => {
    const { allow: _, fail: __, ...defaults } = checksSchema.parse({});
    for (const [name, value] of Object.entries(defaults)) {
      expect(page).toMatch(new RegExp(`\`(?:checks\\.)?${name}\`.*\\(?${value}`));
    }
    expect(Object.keys(checksSchema.shape).every((name) => page.includes(name))).toBe(true);
  });
});
