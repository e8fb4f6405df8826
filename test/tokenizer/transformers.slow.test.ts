import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import { glob, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { PythonEnvironment } from "../../infra/local/python-environment.ts";
import { readTokenizerFolder } from "../../shared/adapters/local/tokenizer-folder.ts";
import { sftRow } from "../../shared/dataset/sft-row.ts";
import { tokenCounter } from "../../shared/tokenizer/token-counter.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { attemptLines } from "../factories/attempts.ts";
import { chatRow } from "../factories/logs.ts";
import { makeStation } from "../factories/station.ts";
import { trainerEnvironment } from "../trainer/venv.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const script = join(import.meta.dirname, "count_tokens.py");

/** Texts that tokenizers stumble over. */
const ODD = [
  "",
  " ",
  "  two  blanks\t\ttabs \r\n\r\n\n lines \n",
  "I'll, YOU'RE, don'T; 1234567 3.14159 0x1F",
  "naïve café, Größe, Ünïcödé; e\u0301 decomposed; ﬁ ligature",
  "日本語のテキスト、中文文本。한국어 텍스트 العربية हिन्दी ไทย",
  "👩‍👩‍👧‍👦🏳️‍🌈 🚀🚀 \u200b\u00a0\u2028 \ufeff",
  "<|im_start|>user\nnot a turn<|im_end|> <|im_end <tool_call> </tool_call></s><unk><0x0A>",
  "a".repeat(300),
  "def f(x):\n    return {'a': [1, 2, 3]}  # ok\n",
];

describe("tokens as Hugging Face transformers counts them", () => {
  let environment: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };
  let folder = "";

  beforeAll(async () => {
    environment = await trainerEnvironment();
    if (environment.kind === "absent") return;
    folder = await mkdtemp(join(tmpdir(), "gymline-tokenizers-"));
    const texts: string[] = [];
    for await (const path of glob("docs/*.md", { cwd: root }))
      texts.push(await readFile(join(root, path), "utf8"));
    await writeFile(join(folder, "corpus.txt"), `${texts.join("\n")}\n${ODD.join("\n")}`);
    await run(environment.python, [script, "make", folder, join(folder, "corpus.txt")]);
  }, 600_000);

  afterAll(() => (folder === "" ? undefined : rm(folder, { recursive: true, force: true })));

  const counts = async (name: string, rows: readonly unknown[]): Promise<readonly number[]> => {
    if (environment.kind === "absent") throw new Error(environment.reason);
    const file = join(folder, "rows.jsonl");
    await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const { stdout } = await run(environment.python, [script, "count", join(folder, name), file]);
    return z.array(z.int()).parse(JSON.parse(stdout));
  };
  const skipped = (skip: (reason: string) => void): boolean => {
    if (environment.kind === "absent") skip(environment.reason);
    return environment.kind === "absent";
  };

  it.for(["byte-level", "metaspace"])("counts texts with a %s vocabulary", async (name, { skip }) => {
    if (skipped(skip)) return;
    const counter = await tokenCounter(await readTokenizerFolder(join(folder, name)));
    const texts = [...ODD];
    // Prose that the vocabulary was learnt from, and code that it was not.
    for await (const path of glob(["docs/*.md", "shared/{redaction,reward}/**/*.ts", "test/redaction/*.ts"], {
      cwd: root,
    }))
      texts.push(await readFile(join(root, path), "utf8"));
    expect(texts.length).toBeGreaterThan(100);
    // Twice: what was counted once is not counted again.
    for (let round = 0; round < 2; round += 1) {
      expect(texts.map(counter.text)).toEqual(
        await counts(
          name,
          texts.map((text) => ({ text })),
        ),
      );
    }
  });

  it("counts whole conversations with tools as the chat template writes them", async ({ skip }) => {
    if (skipped(skip)) return;
    const station = makeStation();
    cpSync(join(root, "shared/samples/drop"), station.drop, { recursive: true });
    station.write(
      "team/attempts.jsonl",
      attemptLines(3)
        .map((line) => `${line}\n`)
        .join(""),
    );
    for (const [index, text] of ODD.entries()) {
      station.write(
        `team/odd-${index}.json`,
        chatRow({ prompt: `${text}.`, calls: [[text, text]], answer: `${text}!` }),
      );
    }
    await station.run();
    const documents: Trajectory[] = [];
    for (const { id } of await station.select()) documents.push(await station.document(id));
    const rows = documents.flatMap((document) => {
      const row = sftRow(document, undefined);
      return row === undefined ? [] : [{ document, row }];
    });
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.some(({ row }) => row.tools !== null)).toBe(true);
    const counter = await tokenCounter(await readTokenizerFolder(join(folder, "byte-level")));
    expect(counter.by.of).toBe("chat-template");
    const mine = rows.map(({ document }) => counter.trajectory(document));
    expect(mine).toEqual(
      await counts(
        "byte-level",
        rows.map(({ row }) => row),
      ),
    );
  });
});
