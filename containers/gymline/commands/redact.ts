import { isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";
import type { Command } from "commander";
import { HEAD_BYTES, kindOf } from "../../../shared/reading/kind.ts";
import { type RedactedText, redactTextFile } from "../../../shared/redaction/redact-text-file.ts";
import { createRedactor } from "../../../shared/redaction/redactor.ts";
import { pc } from "../colours.ts";
import { EXIT } from "../exit-code.ts";
import { examples } from "../options.ts";
import { openOutput } from "../output.ts";
import { loadSettings } from "../settings.ts";
import { bytesText, many, note, printable } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface RedactOptions {
  readonly out?: string;
  readonly check?: boolean;
  readonly config?: string;
}

/** The whole file is held, with its redacted copy, so that a secret has one name throughout. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Places that `--check` lists. */
const SHOWN = 50;

export function addRedact(program: Command): void {
  const command = program
    .command("redact")
    .description("write a copy of a text, JSON or JSON Lines file without secrets and personal data")
    .argument("<file>", "file to redact; - reads standard input")
    .option("-o, --out <file>", "write to this file instead of standard output")
    .option("--check", "write nothing; exit with 2 if there is anything to redact")
    .option("-c, --config <file>", "configuration file (default: ./gymline.json, if there is one)");
  examples(command, [
    "gymline redact run.log > clean.log",
    "kubectl logs my-agent | gymline redact -",
    "gymline redact --check fixtures/session.jsonl",
  ]).action(redact);
}

async function redact(file: string, options: RedactOptions): Promise<void> {
  const { plan } = loadSettings(options.config === undefined ? {} : { config: options.config });
  const bytes = file === "-" ? await standardInput() : fileBytes(file);
  const text = textOf(bytes, file);
  const mark = text.startsWith("\uFEFF") ? "\uFEFF" : "";
  const result = redactTextFile(text.slice(mark.length), createRedactor(plan.redaction));
  if (options.check === true) {
    printFindings(file, result);
    if (Object.keys(result.counts).length > 0) process.exitCode = EXIT.rejected;
  } else {
    const output = await openOutput(options.out);
    try {
      await output.write(mark + result.text);
      await output.finish();
    } catch (error) {
      await output.abort();
      throw error;
    }
  }
  printCounts(result);
}

async function standardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    size += bytes.length;
    if (size > MAX_BYTES) throw tooLarge("standard input");
  }
  return Buffer.concat(chunks);
}

function fileBytes(path: string): Uint8Array {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`there is no ${path}; give a file, or - for standard input`);
  if (stats.isDirectory()) {
    throw new UsageError(`${path} is a folder; give one file, or use gymline convert for a folder of logs`);
  }
  if (stats.size > MAX_BYTES) throw tooLarge(path);
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new UsageError(
      `${path} cannot be read: ${cause instanceof Error ? cause.message : "unknown fault"}`,
      {
        cause,
      },
    );
  }
}

function tooLarge(name: string): UsageError {
  return new UsageError(
    `${name} is larger than ${bytesText(MAX_BYTES)}; split it, or use gymline convert for large logs`,
  );
}

function textOf(bytes: Uint8Array, file: string): string {
  const name = file === "-" ? "standard input" : file;
  const kind = bytes.length === 0 ? undefined : kindOf(bytes.subarray(0, HEAD_BYTES));
  if (kind !== undefined && (kind.kind === "gzip" || kind.kind === "zstd" || kind.kind === "zip")) {
    throw new UsageError(`${name} is packed (${kind.kind}); unpack it first: … | gymline redact -`);
  }
  if (!isUtf8(bytes) || bytes.includes(0)) {
    throw new UsageError(`${name} is no UTF-8 text; binary data cannot be redacted`);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function printFindings(file: string, { findings }: RedactedText): void {
  for (const { line, pointer, type, count } of findings.slice(0, SHOWN)) {
    const times = count > 1 ? ` (${count}×)` : "";
    note(
      `${printable(file === "-" ? "stdin" : file)}:${line}  ${pc.yellow(type)}${times}  ${pc.dim(printable(pointer))}`.trimEnd(),
    );
  }
  if (findings.length > SHOWN) note(`… and ${findings.length - SHOWN} more places`);
}

function printCounts({ counts, kind }: RedactedText): void {
  const types = Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const total = types.reduce((sum, [, count]) => sum + count, 0);
  const list = types.map(([type, count]) => `${type} ${count}`).join(", ");
  const read = { json: "JSON", "json-lines": "JSON Lines", text: "text" }[kind];
  note(`${total === 0 ? "nothing to redact" : `${many(total, "redaction")}: ${list}`} (read as ${read})`);
}
