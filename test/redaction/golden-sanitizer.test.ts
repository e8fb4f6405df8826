import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { createRedactor } from "../../shared/redaction/redactor.ts";

const file = new URL("../../../shared/reference/golden/sanitizer.json", import.meta.url);
const exists = existsSync(file);

const schema = z.array(
  z.object({
    name: z.string(),
    input: z.object({ text: z.string().optional() }),
    expected: z.unknown(),
    reference_defect: z.string().optional(),
  }),
);
const expectedSchema = z.object({ audit_log: z.array(z.object({ original: z.string() })) });

/** Where the vectors and this redactor rightly differ. */
const differs: Readonly<Record<string, string>> = {
  card_union19: "the check digit is wrong, so it is no card",
  ip_range_bad: "999 is no octet",
  overlap_order: "32 digits are no phone and no token",
  url_localhost: "loopback stays by default",
  url_userinfo: "only the password goes",
  jwt: "goes as a whole",
};

const redactor = createRedactor(redactionConfigSchema.parse({}));
const cases = exists ? schema.parse(JSON.parse(readFileSync(file, "utf8"))) : [];
const texts = cases.flatMap(({ name, input, expected, reference_defect }) =>
  input.text === undefined || reference_defect !== undefined || name in differs
    ? []
    : [
        {
          name,
          text: input.text,
          originals: expectedSchema.parse(expected).audit_log.map(({ original }) => original),
        },
      ],
);

describe("golden vectors of knowlyr-gym's sanitizer", () => {
  it.skipIf(!exists)("the same spans are redacted (skipped where ../shared is absent)", () => {
    expect(texts.length).toBeGreaterThan(15);
    for (const { name, text, originals } of texts) {
      const found = redactor.scan(text).map(({ start, end }) => text.slice(start, end));
      expect({ name, found }).toEqual({ name, found: originals });
    }
  });
});
