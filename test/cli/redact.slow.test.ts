import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

const SECRET = "ann@firm.example.com";

describe("gymline redact", () => {
  it("prints a redacted copy on stdout and counts on stderr", async () => {
    const { code, stdout, stderr } = await gymline(["redact", "-"], {
      stdin: `mail ${SECRET}\r\nmail ${SECRET}`,
    });
    expect([code, stdout]).toEqual([0, "mail [EMAIL_1]\r\nmail [EMAIL_1]"]);
    expect(stderr).toBe("2 redactions: EMAIL 2 (read as text)\n");
  });

  it("keeps JSON Lines valid, line by line", async () => {
    const file = join(temporaryFolder("cli"), "log.jsonl");
    writeFileSync(file, `{"a": "${SECRET}"}\n\n{"b": 12345678901234567890}\n`);
    const { code, stdout } = await gymline(["redact", file]);
    expect([code, stdout]).toEqual([0, '{"a":"[EMAIL_1]"}\n\n{"b": 12345678901234567890}\n']);
  });

  it("writes nothing with --check, names the places, and exits with 2 where it found something", async () => {
    const file = join(temporaryFolder("cli"), "log.jsonl");
    writeFileSync(file, `{"a": "x"}\n{"a": ["${SECRET}"]}\n`);
    const found = await gymline(["redact", file, "--check", "--out", `${file}.clean`]);
    expect([found.code, found.stdout]).toEqual([2, ""]);
    expect(found.stderr).toContain(`${file}:2  EMAIL  /a/0`);
    expect(found.stderr).not.toContain(SECRET);
    expect(() => readFileSync(`${file}.clean`)).toThrow();
    writeFileSync(file, '{"a": "x"}\n');
    const clean = await gymline(["redact", file, "--check"]);
    expect([clean.code, clean.stderr]).toEqual([0, "nothing to redact (read as JSON)\n"]);
  });

  it("looks for what the configuration says", async () => {
    const folder = temporaryFolder("cli");
    const redaction = {
      custom: [{ name: "BADGE", regex: "B-\\d{4}" }],
      allowEmailDomains: ["firm.example.com"],
    };
    writeFileSync(join(folder, "own.json"), JSON.stringify({ redaction }));
    const { stdout } = await gymline(["redact", "-", "--config", "own.json"], {
      cwd: folder,
      stdin: `B-1234 ${SECRET}`,
    });
    expect(stdout).toBe(`[BADGE_1] ${SECRET}`);
  });

  it("redacts a file in place without ever leaving half of it", async () => {
    const file = join(temporaryFolder("cli"), "log.txt");
    writeFileSync(file, SECRET);
    expect((await gymline(["redact", file, "--out", file])).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe("[EMAIL_1]");
  });

  it("says what to do with a folder, a packed file and binary data", async () => {
    const folder = temporaryFolder("cli");
    writeFileSync(join(folder, "a.gz"), gzipSync(SECRET));
    writeFileSync(join(folder, "a.bin"), Uint8Array.of(0xff, 0x80, 0x00));
    const cases = [
      [".", "use gymline convert"],
      ["a.gz", "unpack it first"],
      ["a.bin", "no UTF-8 text"],
      ["absent", "there is no absent"],
    ] as const;
    for (const [file, expected] of cases) {
      const { code, stdout, stderr } = await gymline(["redact", file], { cwd: folder });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(expected);
    }
  });
});
