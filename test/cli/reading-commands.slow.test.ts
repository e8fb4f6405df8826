import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { storedScoreSchema } from "../../shared/stages/score-trajectory.ts";
import { trajectorySchema } from "../../shared/trajectory/schema.ts";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { goodLogs, gymline, mixedLogs, shell } from "./program.ts";

const jsonLines = (text: string): readonly unknown[] => {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line): unknown => JSON.parse(line));
};

describe("gymline convert", () => {
  it("prints nothing but canonical trajectories and exits with 0", async () => {
    const { code, stdout, stderr } = await gymline(["convert", goodLogs()]);
    expect(code).toBe(0);
    const documents = jsonLines(stdout).map((line) => trajectorySchema.parse(line));
    expect(documents).toHaveLength(3);
    expect(stdout).toContain("[EMAIL_1]");
    expect(stdout).not.toContain("ann@firm");
    expect(stderr).toBe("3 trajectories out of 2 files, 2 redactions\n");
  });

  it("lists what was rejected on stderr, with place and remedy, and exits with 2", async () => {
    const folder = mixedLogs();
    const { code, stdout, stderr } = await gymline(["convert", "."], { cwd: folder });
    expect(code).toBe(2);
    expect(jsonLines(stdout)).toHaveLength(5);
    expect(stderr).toContain("broken.jsonl:2");
    expect(stderr).toContain("→ ");
    expect(stderr).toContain("1 rejected");
  });

  it("writes the file of --out whole, and leaves the old one where it fails", async () => {
    const folder = temporaryFolder("cli");
    const target = join(folder, "out.jsonl");
    writeFileSync(target, "old");
    const failed = await gymline(["convert", join(folder, "absent"), "--out", target]);
    expect(failed.code).toBe(1);
    expect(readFileSync(target, "utf8")).toBe("old");
    const done = await gymline(["convert", goodLogs(), "--out", target]);
    expect([done.code, done.stdout]).toEqual([0, ""]);
    expect(jsonLines(readFileSync(target, "utf8"))).toHaveLength(3);
    expect(readdirSync(folder)).toEqual(["out.jsonl"]);
  });

  it("writes through a link and to a device instead of replacing them", async () => {
    const folder = temporaryFolder("cli");
    writeFileSync(join(folder, "real"), "");
    symlinkSync("real", join(folder, "link"));
    expect((await gymline(["convert", goodLogs(), "-o", "link"], { cwd: folder })).code).toBe(0);
    expect(jsonLines(readFileSync(join(folder, "real"), "utf8"))).toHaveLength(3);
    expect((await gymline(["convert", goodLogs(), "-o", "/dev/null"])).code).toBe(0);
    expect(existsSync("/dev/null")).toBe(true);
  });

  it("ends quietly where its reader closes the pipe", async () => {
    const folder = temporaryFolder("cli");
    const row = chatRow({ prompt: "Why? ".repeat(2000) });
    writeFileSync(join(folder, "many.jsonl"), Array.from({ length: 200 }, () => row).join("\n"));
    const { code, stdout, stderr } = await shell("gymline convert many.jsonl | head -1 | wc -l", {
      cwd: folder,
    });
    expect([code, stdout.trim(), stderr]).toEqual([0, "1", ""]);
  });

  it("reads a custom format by its mapping", async () => {
    const mapping = new URL("../../docs/examples/mapping-recorder.json", import.meta.url).pathname;
    const sample = new URL("../../docs/examples/sample-recorder.json", import.meta.url).pathname;
    const { code, stdout } = await gymline(["convert", sample, "--mapping", mapping]);
    expect(code).toBe(0);
    const [document] = jsonLines(stdout).map((line) => trajectorySchema.parse(line));
    expect(document?.extra.gymline.provenance.format).toMatch(/^custom:/);
  });
});

describe("gymline validate", () => {
  it("tells per file what is in it, and what cannot be read with place and remedy", async () => {
    const { code, stdout, stderr } = await gymline(["validate", "."], { cwd: mixedLogs() });
    expect(code).toBe(2);
    expect(stderr).toBe("");
    expect(stdout).toContain("✓ one.json");
    expect(stdout).toContain("2 × openai-messages");
    expect(stdout).toContain("broken.jsonl:2");
    expect(stdout).toContain("3 files: 5 trajectories, 0 warnings, 2 redactions, 1 rejection");
  });

  it("names the step of a warning", async () => {
    const folder = temporaryFolder("cli");
    const log = {
      messages: [
        { role: "user", content: " " },
        { role: "assistant", content: "Yes?" },
      ],
    };
    writeFileSync(join(folder, "empty.json"), JSON.stringify(log));
    const { code, stdout } = await gymline(["validate", folder]);
    expect(code).toBe(0);
    expect(stdout).toContain("warning empty-prompt: the first user message is empty (step 1)");
  });

  it("prints one JSON document with --json", async () => {
    const { code, stdout } = await gymline(["validate", ".", "--json"], { cwd: mixedLogs() });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "gymline.validate.v1",
      total: { files: 3, trajectories: 5, rejected: 1 },
      files: [
        { path: "broken.jsonl", rejections: [{ line: 2 }] },
        { path: "one.json" },
        { path: "two.jsonl" },
      ],
    });
  });
});

describe("gymline score", () => {
  it("prints a table with a row for each trajectory", async () => {
    const { code, stdout } = await gymline(["score", "."], { cwd: goodLogs() });
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(4);
    expect(stdout).toContain("two.jsonl:2");
  });

  it("shows each step's score and the reasons of deductions with --steps", async () => {
    const folder = temporaryFolder("cli");
    const call = (id: string) => [
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id, type: "function", function: { name: "read_file", arguments: '{"file_path":"a.txt"}' } },
        ],
      },
      { role: "tool", tool_call_id: id, content: "the same" },
    ];
    const messages = [{ role: "user", content: "Read it" }, ...call("c1"), ...call("c2")];
    writeFileSync(join(folder, "twice.json"), JSON.stringify({ messages }));
    const { code, stdout } = await gymline(["score", folder, "--steps"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +1 {2}0\.\d{3} {2}read_file$/m);
    expect(stdout).toMatch(/▼ \d\.\d{3} repeated_read /);
  });

  it("prints the full score documents with --json", async () => {
    const { code, stdout, stderr } = await gymline(["score", ".", "--json", "--domain", "coding"], {
      cwd: mixedLogs(),
    });
    expect(code).toBe(2);
    const documents = jsonLines(stdout).map((line) => storedScoreSchema.parse(line));
    expect(documents.map(({ domain }) => domain)).toEqual(Array.from({ length: 5 }, () => "coding"));
    expect(stderr).toContain("broken.jsonl:2");
  });
});

describe("gymline formats, domains and schema", () => {
  it("list the formats, those of a mapping included", async () => {
    const mapping = new URL("../../docs/examples/mapping-recorder.json", import.meta.url).pathname;
    const { stdout } = await gymline(["formats", "--json", "--mapping", mapping]);
    const { formats } = JSON.parse(stdout) as {
      readonly formats: readonly { name: string; origin: string }[];
    };
    expect(formats.filter(({ origin }) => origin === "mapping")).toHaveLength(1);
    expect(formats.map(({ name }) => name)).toContain("swe-agent");
    expect((await gymline(["formats"])).stdout).toContain("swe-agent");
  });

  it("show a domain that can be written to a file and scored by", async () => {
    const folder = goodLogs();
    const { stdout } = await gymline(["domains", "coding", "--json"]);
    const profile = join(temporaryFolder("cli"), "own.json");
    writeFileSync(profile, stdout);
    const scored = await gymline(["score", folder, "--json", "--domain", profile]);
    const plain = await gymline(["score", folder, "--json", "--domain", "coding"]);
    const totals = (text: string) => jsonLines(text).map((line) => storedScoreSchema.parse(line).total);
    expect(totals(scored.stdout)).toEqual(totals(plain.stdout));
    expect((await gymline(["domains", "coding"])).stdout).toContain("info_utilization");
    expect((await gymline(["domains"])).stdout).toContain("conversation");
  });

  it("print the JSON Schema that the package holds", async () => {
    const { code, stdout } = await gymline(["schema"]);
    const file = new URL("../../docs/trajectory.schema.json", import.meta.url);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(file, "utf8")));
  });
});
