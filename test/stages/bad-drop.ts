import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { atifDocument, chatRow } from "../factories/logs.ts";
import { zipOf } from "../reading/zip-factory.ts";

/** Stands in every bad file whose content could be quoted. */
export const CONTENT = "words-of-the-log-itself";

const MIB = 1 << 20;
const good = (task: string): string => chatRow({ task });
const bad = (task: string): string => chatRow({ task, prompt: CONTENT, answer: CONTENT });

/** What is wrong, where its one report must point, and what it must be called. */
export interface BadInput {
  readonly path: string;
  readonly code: string;
  readonly place: Readonly<Record<string, unknown>>;
  make(file: string): void;
  /** Tasks of good records in the same file. */
  readonly good?: readonly string[];
}

const text = (content: string | Uint8Array) => (file: string) => writeFileSync(file, content);

export const BAD_INPUTS: readonly BadInput[] = [
  {
    path: "team/truncated.json",
    code: "unfinished-json",
    place: { line: 1 },
    make: text(bad("x").slice(0, -30)),
  },
  {
    path: "team/truncated-line.jsonl",
    code: "unfinished-json",
    place: { line: 2 },
    make: text(`${good("before cut")}\n${bad("x").slice(0, -30)}\n${good("after cut")}\n`),
    good: ["before cut", "after cut"],
  },
  {
    path: "team/utf-16.json",
    code: "unsupported-encoding",
    place: {},
    make: text(Buffer.from(`\uFEFF${bad("x")}`, "utf16le")),
  },
  {
    path: "team/latin-1.jsonl",
    code: "invalid-utf8",
    place: { line: 2 },
    make: text(
      Buffer.concat([
        Buffer.from(`${good("before latin")}\n`),
        Buffer.from(`${bad("caf\u00e9")}\n`, "latin1"),
        Buffer.from(`${good("after latin")}\n`),
      ]),
    ),
    good: ["before latin", "after latin"],
  },
  {
    path: "team/nul.jsonl",
    code: "nul-bytes",
    place: { line: 2 },
    make: text(`${good("before nul")}\n${bad("a\0b").replace("\\u0000", "\0")}\n${good("after nul")}\n`),
    good: ["before nul", "after nul"],
  },
  {
    path: "team/one-long-line.jsonl",
    code: "record-too-large",
    place: { line: 2 },
    make: (file) => {
      const descriptor = openSync(file, "w");
      writeSync(descriptor, `${good("before long")}\n{"messages":[{"role":"user","content":"${CONTENT}`);
      for (let written = 0; written < 200; written += 1) writeSync(descriptor, Buffer.alloc(MIB, "x"));
      writeSync(descriptor, `"}]}\n${good("after long")}\n`);
      closeSync(descriptor);
    },
    good: ["before long", "after long"],
  },
  {
    path: "team/deep.json",
    code: "too-deep",
    place: { line: 1 },
    make: text(`{"${CONTENT}":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
  },
  {
    path: "team/slip.zip",
    code: "unsafe-entry-name",
    place: { entry: "../../slip.json" },
    make: text(
      zipOf([
        { name: "in/zip.json", data: good("beside slip") },
        { name: "../../slip.json", data: bad("x") },
      ]),
    ),
    good: ["beside slip"],
  },
  {
    path: "team/bomb.zip",
    code: "expansion-ratio",
    place: { entry: "bomb.json" },
    make: text(zipOf([{ name: "bomb.json", data: Buffer.alloc(64 * MIB, " ") }])),
  },
  {
    path: "team/bomb.json.gz",
    code: "expansion-ratio",
    place: {},
    make: text(gzipSync(Buffer.alloc(64 * MIB, " "))),
  },
  { path: "team/empty.json", code: "empty-file", place: {}, make: text("") },
  {
    path: "team/binary.json",
    code: "unsupported-format",
    place: {},
    make: text(Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), Buffer.from(CONTENT)])),
  },
  {
    path: "team/dangling.json",
    code: "unreadable",
    place: {},
    make: (file) => symlinkSync("nowhere.json", file),
  },
  {
    path: "team/loop",
    code: "link-loop",
    place: {},
    make: (file) => symlinkSync(".", file),
  },
  {
    path: "team/self.json",
    code: "link-loop",
    place: {},
    make: (file) => symlinkSync("self.json", file),
  },
  {
    path: "team/outside.json",
    code: "link-outside",
    place: {},
    make: (file) => symlinkSync("/etc/hostname", file),
  },
  {
    path: "team/pipe.json",
    code: "special-file",
    place: {},
    make: (file) => execFileSync("mkfifo", [file]),
  },
  {
    path: "team/duplicate-ids.json",
    code: "invalid-atif",
    place: { line: 1, jsonPath: "$.steps[1].step_id" },
    make: text(atifDocument({ task: CONTENT }).replace('"step_id": 2', '"step_id": 1')),
  },
  {
    path: "team/missing-field.json",
    code: "invalid-atif",
    place: { line: 1, jsonPath: "$.agent.version" },
    make: text(atifDocument({ task: CONTENT }).replace(/"version": "1.0",/, "")),
  },
  {
    path: "team/no-log.json",
    code: "unknown-format",
    place: { line: 1 },
    make: text(JSON.stringify({ [CONTENT]: CONTENT })),
  },
];

/** Odd, but nothing is wrong with it. */
export const ODD_INPUTS: readonly (readonly [path: string, content: string, task: string])[] = [
  ["team/with-bom.json", `\uFEFF${good("bom")}`, "bom"],
  [
    "team/proto.json",
    good("proto").replace(
      "{",
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1,',
    ),
    "proto",
  ],
  ["team/blank-lines.jsonl", `\r\n\r\n${good("blank")}\r\n\r\n`, "blank"],
  ["team/plain.json", good("plain"), "plain"],
];

export function writeBadDrop(folder: string): void {
  mkdirSync(join(folder, "team"), { recursive: true });
  for (const { path, make } of BAD_INPUTS) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    make(join(folder, path));
  }
  for (const [path, content] of ODD_INPUTS) writeFileSync(join(folder, path), content);
}
