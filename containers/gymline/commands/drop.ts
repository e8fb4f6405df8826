import type { Command } from "commander";
import { pc } from "../colours.ts";
import { findDropFiles } from "../drop-files.ts";
import type { UploadResult } from "../drop-upload.ts";
import { EXIT } from "../exit-code.ts";
import { examples } from "../options.ts";
import { startProgress } from "../progress.ts";
import { rejectionReport } from "../reports.ts";
import { bytesText, many, out, printable } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface DropOptions {
  readonly deployment?: string;
  readonly bucket?: string;
  readonly project?: string;
  readonly concurrency: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Rejections that are shown. */
const SHOWN = 60;
const MOST_CONCURRENT = 64;

export function addDrop(program: Command): void {
  const command = program
    .command("drop")
    .description("upload files and folders of agent logs into the drop bucket of a deployment")
    .argument("<paths...>", "files and folders; top folders below them are project labels, as for run")
    .option("--deployment <name>", "name of the deployment (default: gymline)")
    .option("--bucket <name>", "upload into this bucket, whoever made it")
    .option("--project <label>", "put everything under this project label")
    .option("--concurrency <n>", "files (or parts of a large one) on their way at a time", "8")
    .option("--dry-run", "say what would be uploaded, and upload nothing")
    .option("--json", "print one JSON document instead of text")
    .option("-q, --quiet", "no progress");
  examples(command, [
    "gymline drop logs",
    "gymline drop run-17.jsonl more-logs --project team-a --deployment staging",
    "gymline drop logs --bucket my-drop-bucket --dry-run",
  ]).action(drop);
}

async function drop(paths: readonly string[], options: DropOptions): Promise<void> {
  const { deployment, bucket, project, json, quiet, dryRun = false } = options;
  const concurrency = concurrencyOf(options.concurrency);
  const found = await findDropFiles(paths, project);
  const label = dryRun ? "comparing" : "uploading";
  // Loaded by this command only: the AWS clients would make every other one start later.
  const { uploadDrop } = await import("../drop-upload.ts");
  const result = await uploadDrop({
    ...found,
    ...(deployment === undefined ? {} : { deployment }),
    ...(bucket === undefined ? {} : { bucket }),
    concurrency,
    dryRun,
    progress: startProgress(label, { quiet: quiet === true || json === true }),
  });
  if (result.rejections.length > 0) process.exitCode = EXIT.rejected;
  if (json === true) out(JSON.stringify(jsonReport(result, dryRun)));
  else textReport(result, dryRun);
}

function countsOf({ done }: UploadResult) {
  const count = (wanted: string): number => done.filter(({ outcome }) => outcome === wanted).length;
  const sent = done.filter(({ outcome }) => outcome !== "unchanged");
  const bytes = sent.reduce((sum, { size }) => sum + size, 0);
  const counts = { uploaded: count("uploaded"), resumed: count("resumed"), unchanged: count("unchanged") };
  return { counts, sent, bytes };
}

function jsonReport(result: UploadResult, dryRun: boolean): unknown {
  const { bucket, done, rejections } = result;
  const { counts, bytes } = countsOf(result);
  const files = done.map(({ path, key, size, outcome }) => ({ path, key, bytes: size, outcome }));
  return { schema: "gymline.drop.v1", bucket, dryRun, ...counts, bytes, files, rejections };
}

function textReport(result: UploadResult, dryRun: boolean): void {
  const { bucket, rejections } = result;
  const { counts, sent, bytes } = countsOf(result);
  if (dryRun) {
    for (const { path, key } of sent) out(`  ${printable(path)}  →  s3://${bucket}/${printable(key)}`);
  }
  const title = pc.bold(dryRun ? "To drop" : "Dropped");
  out(`${title}   ${many(sent.length, "file")} (${bytesText(bytes)}), s3://${bucket}`);
  if (counts.resumed > 0) out(`          ${counts.resumed} of them gone on with after an earlier try`);
  if (counts.unchanged > 0) out(`          ${many(counts.unchanged, "file")} there already, unchanged`);
  if (rejections.length > 0) {
    out(`\n${rejectionReport(rejections, { total: rejections.length, shown: SHOWN })}`);
  }
}

function concurrencyOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MOST_CONCURRENT) return count;
  throw new UsageError(`--concurrency takes a whole number from 1 to ${MOST_CONCURRENT}, not "${text}"`);
}
