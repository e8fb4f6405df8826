import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { blankEscapes } from "../../shared/redaction/escapes.ts";
import { createRedactor } from "../../shared/redaction/redactor.ts";
import { bareSecrets, survivors } from "./samples.ts";

const redactor = createRedactor(redactionConfigSchema.parse({}));

/** As tools and terminals write what stands before a word. */
const escapes = {
  "a new line in JSON": "\\n",
  "a tab in JSON": "\\t",
  "a new line in JSON in JSON": "\\\\n",
  "a quote by its number": "\\u0027",
  "a Chinese character by its number": "\\u4f60",
  "a blank in a URL": "%20",
  "an equals sign in a URL in a URL": "%253D",
  "a colour of the terminal": "\u001b[1;31m",
  "a colour of the terminal, printed": "\\x1b[31m",
  "a colour of the terminal in JSON": "\\u001b[0m",
} as const;

describe.each(Object.entries(escapes))("behind %s", (_, before) => {
  it.each(bareSecrets)("%s (%s) is found", (_type, _name, value) => {
    const written = JSON.stringify(value).slice(1, -1);
    expect(redactor.session().redact(`{"log": "seen:${before}${written}${before}done"}`)).not.toContain(
      written,
    );
  });

  it("a text without secrets stays as it is", () => {
    for (const text of survivors) {
      const written = `x${before}${JSON.stringify(text).slice(1, -1)}`;
      expect(redactor.session().redact(written)).toBe(written);
    }
  });

  it("a secret that was learnt elsewhere is replaced", () => {
    const session = redactor.session();
    session.redact("DB_PASSWORD=horse7battery8staple");
    expect(session.redactLearnt(`got${before}horse7battery8staple${before}x`)).toBe(
      `got${before}[CREDENTIAL_1]${before}x`,
    );
  });
});

describe("blanking", () => {
  it("leaves texts without escapes alone", () => {
    expect(blankEscapes("a plain text")).toBeUndefined();
    expect(blankEscapes("100% of a \\ b \\d+ C:\\ x")).toBeUndefined();
  });

  it("keeps the length and every character that is no part of an escape", () => {
    const piece = fc.constantFrom(
      ...Object.values(escapes),
      "a",
      "7",
      "+",
      " ",
      "\\",
      "%",
      "\u001b",
      "[",
      "é",
      "日",
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join("");
        const blanked = blankEscapes(text) ?? text;
        expect(blanked.length).toBe(text.length);
        for (let at = 0; at < text.length; at += 1) {
          if (blanked[at] !== text[at])
            expect([blanked[at], /[\w\\%\u001b[;]/.test(text.charAt(at))]).toEqual([" ", true]);
        }
      }),
    );
  });
});
