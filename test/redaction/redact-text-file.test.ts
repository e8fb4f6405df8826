import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { type RedactedText, redactTextFile } from "../../shared/redaction/redact-text-file.ts";
import { createRedactor } from "../../shared/redaction/redactor.ts";

const redactor = createRedactor(redactionConfigSchema.parse({}));
const redact = (text: string): RedactedText => redactTextFile(text, redactor);

const MAIL = "ann@firm.example.com";
const KEY = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

describe("a JSON file", () => {
  it("is redacted value by value and stays valid", () => {
    const { text, kind, counts } = redact(JSON.stringify({ from: MAIL, lines: [`a\nto ${MAIL}`, 1] }));
    expect(JSON.parse(text)).toEqual({ from: "[EMAIL_1]", lines: ["a\nto [EMAIL_1]", 1] });
    expect([kind, counts]).toEqual(["json", { EMAIL: 2 }]);
  });

  it("finds a secret right after an escape, where the text itself runs the two together", () => {
    expect(redact(JSON.stringify([`first\n${KEY}`])).text).toBe('["first\\n[API_KEY_1]"]');
  });

  it("replaces the whole value of a key that names a credential, numbers too", () => {
    const { text } = redact('{"password": 12345678901234567890, "db": {"password": "Tr0ub4dor&3"}}');
    expect(JSON.parse(text)).toEqual({ password: "[CREDENTIAL_1]", db: { password: "[CREDENTIAL_2]" } });
  });

  it("keeps its indentation, its last newline, and every digit of its numbers", () => {
    const numbers = "[1.0, 12345678901234567890, 1e5, -0, 0.1000]";
    const { text } = redact(`{\n  "a": "${MAIL}",\n  "b": ${numbers}\n}\n`);
    expect(text).toBe(
      '{\n  "a": "[EMAIL_1]",\n  "b": [\n    1.0,\n    12345678901234567890,\n    1e5,\n    -0,\n    0.1000\n  ]\n}\n',
    );
  });

  it("keeps its bytes where there is nothing to redact", () => {
    const text = '{ "b":1 ,\t"a" : [ "\\u0041", 1.0 ]}\r\n';
    expect(redact(text)).toEqual({ text, kind: "json", counts: {}, findings: [] });
  });

  it("does not let a secret through in a key that stands there twice", () => {
    expect(redact(`{"a": "${KEY}", "a": "x"}`).text).toBe('{"a":"x"}');
  });

  it("is redacted even where it is nested too deep to be walked", () => {
    const text = `${"[".repeat(5000)}"${MAIL}"${"]".repeat(5000)}`;
    expect(redact(text).text).toBe(text.replace(MAIL, "[EMAIL_1]"));
  });

  it("is redacted inside its literals where it breaks off", () => {
    const { text, kind } = redact(`{\n  "a": "x\\n${KEY}",\n  "b": "to ${MAIL}\\u00`);
    expect(kind).toBe("text");
    expect(text).not.toContain(KEY);
    expect(text).not.toContain(MAIL);
    expect(text).toContain('"x\\n[API_KEY_1]"');
  });
});

describe("a JSON Lines file", () => {
  it("keeps its lines, blank and broken ones too, and one numbering throughout", () => {
    const other = "bob@firm.example.com";
    const { text, kind } = redact(`{"a":"${MAIL}"}\r\n\n{"b": "${other}\n{"c":"${MAIL}"}`);
    expect(kind).toBe("json-lines");
    expect(text).toBe('{"a":"[EMAIL_1]"}\r\n\n{"b": "[EMAIL_2]\n{"c":"[EMAIL_1]"}');
  });

  it("replaces a secret in lines before the one that gives it away", () => {
    const { text } = redact('{"say":"it is Tr0ub4dor&3xyz"}\n{"password":"Tr0ub4dor&3xyz"}');
    expect(text).toBe('{"say":"it is [CREDENTIAL_1]"}\n{"password":"[CREDENTIAL_1]"}');
  });

  it("names line and place of each finding, never its text", () => {
    const { findings } = redact(`{"a":1}\n{"b":["${MAIL}","${MAIL}"]}`);
    expect(findings).toEqual([
      { line: 2, pointer: "/b/0", type: "EMAIL", count: 1 },
      { line: 2, pointer: "/b/1", type: "EMAIL", count: 1 },
    ]);
  });
});

describe("a text file", () => {
  it("is redacted as a whole, with the lines of its findings", () => {
    const { text, kind, findings } = redact(`one\nto ${MAIL}\n[12:00] key ${KEY}\n`);
    expect([kind, text]).toEqual(["text", "one\nto [EMAIL_1]\n[12:00] key [API_KEY_1]\n"]);
    expect(findings).toEqual([
      { line: 2, pointer: "", type: "EMAIL", count: 1 },
      { line: 3, pointer: "", type: "API_KEY", count: 1 },
    ]);
  });

  it("has its lines of JSON redacted as JSON", () => {
    const { text } = redact(`start\n${JSON.stringify({ a: `x\n${KEY}` })}\nend`);
    expect(text).toBe('start\n{"a":"x\\n[API_KEY_1]"}\nend');
  });
});

const secret = fc.constantFrom(MAIL, KEY, "10.1.2.3", "+1 415 555 0123");
const piece = fc.oneof(
  fc.string(),
  secret,
  fc.tuple(fc.string(), secret).map((parts) => parts.join(" ")),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    piece,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(piece, fc.constantFrom("password", "__proto__", "1")), tie("value"), {
      maxKeys: 4,
    }),
  ),
}));
const document = fc.oneof(fc.array(value, { maxLength: 4 }), fc.dictionary(piece, value, { maxKeys: 4 }));

describe("redaction of any file", () => {
  it("leaves JSON valid, secrets nowhere, and nothing to do for a second pass", () => {
    fc.assert(
      fc.property(document, fc.constantFrom(undefined, 2), (json, indent) => {
        const { text } = redact(JSON.stringify(json, null, indent));
        expect(() => JSON.parse(text)).not.toThrow();
        expect(text).not.toContain(KEY);
        expect(redact(text).text).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps the number of lines of JSON Lines, and each of them valid", () => {
    fc.assert(
      fc.property(fc.array(document, { minLength: 2, maxLength: 5 }), (documents) => {
        const lines = redact(documents.map((json) => JSON.stringify(json)).join("\n")).text.split("\n");
        expect(lines).toHaveLength(documents.length);
        for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
      }),
    );
  });

  it("takes any text, and lets no known secret through", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.constantFrom(" ", "\n", '"', '{"a":"', '\n["'),
        (text, before) => {
          expect(redact(`${text}${before}${MAIL} ${text}`).text).not.toContain(`${before}${MAIL} `);
        },
      ),
    );
  });
});
