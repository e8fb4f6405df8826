import type { Command } from "commander";
import { type PathItem, type RecordPlace, readPaths } from "../../../shared/adapters/local/read-paths.ts";
import type { Rejection } from "../../../shared/reading/rejection.ts";
import { pc } from "../colours.ts";
import { EXIT } from "../exit-code.ts";
import { examples, readingOptions } from "../options.ts";
import { readingSettings } from "../reading.ts";
import { placeText } from "../reports.ts";
import type { SettingsOptions } from "../settings.ts";
import { bytesText, many, out, printable } from "../terminal.ts";

interface ValidateOptions extends SettingsOptions {
  readonly json?: boolean;
}

export function addValidate(program: Command): void {
  const command = program
    .command("validate")
    .description("read logs and say what is in them, what is odd, what is lost and what cannot be read")
    .argument("<paths...>", "files and folders of agent logs")
    .option("--json", "print one JSON document instead of text");
  readingOptions(command);
  examples(command, [
    "gymline validate logs",
    "gymline validate odd.json --mapping our-logger.json",
    "gymline validate logs --json | jq '.files[] | select(.rejections != [])'",
  ]).action(validate);
}

type Found = Extract<PathItem, { kind: "trajectory" }>;

interface FileReport {
  readonly path: string;
  readonly bytes: number;
  readonly trajectories: ReturnType<typeof factsOf>[];
  readonly rejections: Rejection[];
}

async function validate(paths: readonly string[], options: ValidateOptions): Promise<void> {
  const { ingest: settings } = await readingSettings(paths, options);
  const json = options.json === true;
  const total = { files: 0, trajectories: 0, warnings: 0, redactions: 0, rejected: 0 };
  if (json) out('{"schema":"gymline.validate.v1","files":[');
  const losses = new Losses();
  let file: FileReport | undefined;
  const finish = (): void => {
    if (file === undefined) return;
    if (json) out(`${total.files > 0 ? "," : ""}${JSON.stringify(file)}`);
    else printFile(file);
    total.files += 1;
    total.rejected += file.rejections.length;
    for (const trajectory of file.trajectories) {
      losses.add(trajectory);
      total.trajectories += 1;
      total.warnings += trajectory.warnings.length;
      total.redactions += trajectory.redactions;
    }
    file = undefined;
  };
  for await (const item of readPaths({ paths, settings })) {
    const path =
      item.kind === "file" ? item.path : item.kind === "rejected" ? item.rejection.source : item.place.source;
    if (file?.path !== path || item.kind === "file") {
      finish();
      file = { path, bytes: item.kind === "file" ? item.bytes : 0, trajectories: [], rejections: [] };
    }
    if (item.kind === "rejected") file.rejections.push(item.rejection);
    if (item.kind === "trajectory") file.trajectories.push(factsOf(item));
  }
  finish();
  if (json) out(`],"total":${JSON.stringify(total)}}`);
  else {
    losses.print();
    printTotal(total);
  }
  if (total.rejected > 0) process.exitCode = EXIT.rejected;
}

function factsOf({ place, read }: Found) {
  const { trajectory, row } = read;
  const { provenance, fidelity, lint, redaction } = trajectory.extra.gymline;
  return {
    place: placeOf(place),
    id: row.id,
    format: provenance.format,
    variant: provenance.variant ?? null,
    task: row.taskId,
    domain: row.domain,
    agent: row.agent,
    model: row.model,
    success: row.success,
    steps: row.steps,
    agent_steps: row.agentSteps,
    calls: row.calls,
    tokens: fidelity.tokens,
    redactions: redaction.total,
    warnings: lint,
    dropped: fidelity.dropped,
    notes: fidelity.notes,
  };
}

function placeOf({ entry, line, jsonPath }: RecordPlace) {
  return { entry: entry ?? null, line: line ?? null, json_path: jsonPath ?? null };
}

function printFile(file: FileReport): void {
  const { trajectories, rejections } = file;
  const mark = rejections.length > 0 ? pc.red("✗") : hasWarnings(file) ? pc.yellow("!") : pc.green("✓");
  const found = many(trajectories.length, "trajectory", "trajectories");
  out(`${mark} ${pc.bold(printable(file.path))}  ${pc.dim(`${bytesText(file.bytes)}, ${found}`)}`);
  for (const [kind, count] of tally(trajectories.map(kindText))) out(`    ${count} × ${printable(kind)}`);
  for (const [line, count] of tally(trajectories.flatMap(warningTexts))) {
    out(`    ${pc.yellow("warning")} ${printable(line)}${times(count)}`);
  }
  for (const [line, count] of tally(trajectories.flatMap(({ notes }) => notes)))
    out(`    ${pc.dim("note")}    ${printable(line)}${times(count)}`);
  for (const rejection of rejections) {
    out(`    ${pc.red("rejected")} ${placeText(rejection)}  ${pc.dim(rejection.code)}`);
    out(`      ${printable(rejection.reason)}`);
    out(`      ${pc.dim("→")} ${printable(rejection.remedy)}`);
  }
}

function hasWarnings({ trajectories }: FileReport): boolean {
  return trajectories.some(({ warnings }) => warnings.length > 0);
}

function kindText({ format, variant }: FileReport["trajectories"][number]): string {
  return variant === null ? format : `${format}, ${variant}`;
}

/** With the record's own place where a file holds several. */
function warningTexts({ place, warnings }: FileReport["trajectories"][number]): readonly string[] {
  const entry = place.entry === null ? "" : `${place.entry} `;
  const where = place.json_path ?? (place.line === null || place.line === 1 ? "" : `line ${place.line}`);
  const at = `${entry}${where}`.trim();
  return warnings.map(({ code, message, step }) => {
    const number = step === undefined ? "" : `step ${step}`;
    const places = [at, number].filter((part) => part !== "").join(", ");
    return `${code}: ${message}${places === "" ? "" : ` (${places})`}`;
  });
}

/** What is left out of the logs, by format, over all files. */
class Losses {
  readonly #formats = new Map<string, Map<string, { readonly line: string; count: number; logs: number }>>();

  add({ format, dropped }: FileReport["trajectories"][number]): void {
    const known = this.#formats.get(format) ?? new Map();
    this.#formats.set(format, known);
    for (const { path, reason, count } of dropped) {
      const line = `${path}: ${reason}`;
      const loss = known.get(line) ?? { line, count: 0, logs: 0 };
      known.set(line, loss);
      loss.count += count;
      loss.logs += 1;
    }
  }

  print(): void {
    for (const [format, losses] of this.#formats) {
      if (losses.size === 0) continue;
      out(`\n${pc.bold("Left out")} of ${printable(format)}`);
      for (const { line, count, logs } of losses.values()) {
        out(`  ${printable(line)} ${pc.dim(`(${count}× in ${many(logs, "trajectory", "trajectories")})`)}`);
      }
    }
  }
}

function tally(lines: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

function times(count: number): string {
  return count > 1 ? pc.dim(` (${count}×)`) : "";
}

function printTotal(total: {
  readonly files: number;
  readonly trajectories: number;
  readonly warnings: number;
  readonly redactions: number;
  readonly rejected: number;
}): void {
  out(
    `\n${many(total.files, "file")}: ${many(total.trajectories, "trajectory", "trajectories")}, ${many(total.warnings, "warning")}, ${many(total.redactions, "redaction")}, ${many(total.rejected, "rejection")}`,
  );
}
