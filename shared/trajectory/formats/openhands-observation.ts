import type { TrajectoryBuilder } from "../builder.ts";
import type { ResultExtra } from "../gymline-extra.ts";
import { isoTimestamp } from "../timestamp.ts";
import { COMMON_FIELDS, type OpenHandsEvent } from "./openhands-shape.ts";
import { at, field, filled, has, integer, record, rest, text } from "./read.ts";

/** What repeats the call or the content, or is only for display. */
const REPEATED: ReadonlySet<string> = new Set([
  "command",
  "code",
  "old_content",
  "new_content",
  "diff",
  "_diff_cache",
]);

/** Facts of an observation besides its text. */
export function observationExtra(event: OpenHandsEvent, builder: TrajectoryBuilder): ResultExtra {
  const extras = event.fields;
  const exitCode =
    integer(at(extras, "metadata", "exit_code")) ??
    integer(field(extras, "exit_code")) ??
    integer(field(event.raw, "exit_code")) ??
    exitCodeOfText(event.content);
  const stated = filled(field(extras, "error"));
  const failed = event.type === "error" || stated !== undefined || startsAsError(text(event.content) ?? "");
  const error = stated ?? (event.type === "error" ? filled(event.content) : undefined);
  const timestamp = isoTimestamp(field(event.raw, "timestamp"));
  const native = nativeFields(event, builder);
  return {
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    ...(failed ? { is_error: true } : {}),
    ...(error === undefined ? {} : { error }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(Object.keys(native).length === 0 ? {} : { native }),
  };
}

function nativeFields(event: OpenHandsEvent, builder: TrajectoryBuilder): Record<string, unknown> {
  const skipped = [...REPEATED].filter((key) => has(event.fields, key) && event.fields[key] !== null);
  for (const key of skipped) builder.drop(`extras.${key}`, "repeats the call or its result");
  const { kept, large } = rest(event.fields, [
    ...REPEATED,
    "metadata",
    "exit_code",
    "error",
    "formatted_output_and_error",
  ]);
  for (const _ of large) builder.drop("extras.*", "a large field of a single release");
  const metadata = record(field(event.fields, "metadata"));
  const shown = text(field(event.fields, "formatted_output_and_error"));
  const others = event.flat ? {} : rest(event.raw, COMMON_FIELDS).kept;
  return {
    ...kept,
    ...others,
    ...(metadata === undefined ? {} : { metadata: rest(metadata, ["exit_code"]).kept }),
    // The text of an edit as the model saw it, where the event's content is a diff for display.
    ...(shown === undefined || shown === event.content ? {} : { formatted_output_and_error: shown }),
  };
}

const TRAILER = /^\[(?:Command finished|The command completed) with exit code (-?\d{1,9})\.?\]$/;

/** The exit code in the bracketed lines that OpenHands adds below a command's output. */
export function exitCodeOfText(content: unknown): number | undefined {
  if (typeof content !== "string") return undefined;
  const lines = content.slice(-1_000).trimEnd().split("\n");
  for (const line of lines.slice(-5).toReversed()) {
    const trimmed = line.trim();
    const match = TRAILER.exec(trimmed);
    if (match !== null) return Number(match[1]);
    if (!trimmed.startsWith("[")) return undefined;
  }
  return undefined;
}

const PREFIX =
  /^(?:(?:\[[^\]\n]{0,200}\] )?OBSERVATION:\n|EXECUTION RESULT of \[[^\]\n]{0,200}\]:\n)?ERROR:(?:\n|$)/;

/** The editor tool's own mark of failure, also below the prefixes that prompts put before a result. */
export function startsAsError(content: string): boolean {
  return PREFIX.test(content);
}
