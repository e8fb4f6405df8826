import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { RedactionError } from "../../shared/redaction/errors.ts";
import { createRedactor } from "../../shared/redaction/redactor.ts";
import { bareSecrets, contextSecrets, pem, survivors } from "./samples.ts";

const redactor = createRedactor(redactionConfigSchema.parse({}));
const redact = (text: string): string => redactor.session().redact(text);

describe("secrets", () => {
  it.each(bareSecrets)("finds %s: %s, alone and with its type", (type, _, value) => {
    expect(redact(value)).toBe(`[${type}_1]`);
  });

  it.each(bareSecrets)("finds %s: %s between Chinese words", (type, _, value) => {
    expect(redact(`请用${value}登录`)).toBe(`请用[${type}_1]登录`);
  });

  it.each(contextSecrets)("finds the value in: %s", (_, text, secret) => {
    expect(text).toContain(secret);
    expect(redact(text)).not.toContain(secret);
  });

  it("finds a secret wherever it stands in a long text", () => {
    const filler = "lorem ipsum dolor ".repeat(8000);
    for (const cut of [65_500, 65_530, 65_536, 131_060]) {
      const text = `${filler.slice(0, cut)} ghp_${"a1B2".repeat(9)} 13812345678 ${filler}`;
      expect(redactor.scan(text).map(({ type }) => type)).toEqual(["API_KEY", "PHONE"]);
    }
  });

  it("ends a truncated key block before the prose that follows", () => {
    const text = `${pem("\n").slice(0, 140)}...\n\nThe file was cut, so I will read the rest.`;
    expect(redact(text)).toContain("so I will read the rest.");
  });
});

describe("survivors", () => {
  it.each(survivors)("leaves %j as it is", (text) => {
    expect(redact(text)).toBe(text);
  });
});

describe("placeholders", () => {
  it("gives the same secret the same number within a session and counts each replacement", () => {
    const session = redactor.session();
    expect(session.redact("a@b.co, c@d.co")).toBe("[EMAIL_1], [EMAIL_2]");
    expect(session.redact("c@d.co and a@b.co")).toBe("[EMAIL_2] and [EMAIL_1]");
    expect(session.counts()).toEqual({ EMAIL: 4 });
  });

  it("does not give out a number that the text already holds", () => {
    expect(redact("see [EMAIL_1]: a@b.co")).toBe("see [EMAIL_1]: [EMAIL_2]");
  });

  it("redacts what is glued to a placeholder but not the placeholder", () => {
    expect(redact("password=[CREDENTIAL_1]hunter2x")).toBe("password=[CREDENTIAL_1][CREDENTIAL_2]");
  });
});

describe("configuration", () => {
  it("names the custom pattern that does not compile", () => {
    const result = redactionConfigSchema.safeParse({ custom: [{ name: "BADGE", regex: "(" }] });
    expect(result.error?.issues[0]?.message).toMatch(/BADGE does not compile/);
  });

  it("redacts custom patterns also where nothing else triggers", () => {
    const custom = createRedactor(
      redactionConfigSchema.parse({ custom: [{ name: "BADGE", regex: "EMP\\d{4}" }] }),
    );
    expect(custom.session().redact("badge EMP1234")).toBe("badge [BADGE_1]");
  });

  it("keeps allowed values and domains", () => {
    const config = redactionConfigSchema.parse({
      allow: ["10.0.0.1", { regex: "138\\d+" }],
      allowEmailDomains: ["b.co"],
    });
    const text = "10.0.0.1 13812345678 a@b.co";
    expect(createRedactor(config).session().redact(`${text} 10.0.0.2`)).toBe(`${text} [PRIVATE_IP_1]`);
  });

  it("leaves out disabled detectors", () => {
    const config = redactionConfigSchema.parse({ disabled: ["email"] });
    expect(createRedactor(config).scan("a@b.co")).toEqual([]);
  });

  it("redacts loopback addresses on request", () => {
    const strict = createRedactor(redactionConfigSchema.parse({ redactLoopback: true }));
    expect(strict.session().redact("http://localhost:3000/x 127.0.0.1 ::1")).toBe(
      "[INTERNAL_URL_1] [PRIVATE_IP_1] [PRIVATE_IP_2]",
    );
  });
});

describe("failing closed", () => {
  it("throws an error that names the detector and does not quote the text", () => {
    const broken = createRedactor(redactionConfigSchema.parse({}), [
      {
        name: "broken",
        detect: ({ text }) => {
          throw new Error(`cannot read ${text}`);
        },
      },
    ]);
    const attempt = (): string => broken.session().redact("top secret text");
    expect(attempt).toThrow(RedactionError);
    expect(attempt).toThrow(/"broken"/);
    expect(attempt).not.toThrow(/top secret/);
  });
});

const planted = fc.constantFrom(...bareSecrets.map(([, , value]) => value));
const noise = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.constantFrom(
    "password=",
    '{"token": "',
    "Authorization: Bearer ",
    "://",
    "@",
    "-----BEGIN",
    "[EMAIL_1]",
    "\\n",
    "密码：",
  ),
);

describe("properties", () => {
  it("redacting twice is redacting once", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(noise, planted), { maxLength: 8 }), (parts) => {
        const once = redact(parts.join(""));
        expect(redact(once)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  it("no planted secret survives between blanks in any text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        planted,
        fc.string({ unit: "grapheme" }),
        (before, secret, after) => {
          expect(redact(`${before} ${secret} ${after}`)).not.toContain(secret);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("findings are sorted, disjoint and within the text", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(noise, planted), { maxLength: 8 }), (parts) => {
        const text = parts.join("");
        let last = 0;
        for (const { start, end } of redactor.scan(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});

describe("very long values", () => {
  const blob = "aB3d".repeat(250_000);

  it.each(["sk-", "password=", 'secret: "', "Authorization: ", "xoxb-", "eyJhbGciOiJIUzI1NiJ9."])(
    "a megabyte after %j goes as a whole",
    (head) => {
      expect(redact(`${head}${blob}`).length).toBeLessThan(100);
    },
  );

  it.each([
    "ghs_",
    "xoxb-",
    "-eyJ",
    "password='",
    "-----BEGIN RSA PRIVATE KEY-----\n",
    "a://",
    "curl -u ",
    "a@b.",
  ])("%j a hundred thousand times over neither fails nor stalls", (piece) => {
    expect(redact(piece.repeat(100_000))).toEqual(expect.any(String));
  });
});
