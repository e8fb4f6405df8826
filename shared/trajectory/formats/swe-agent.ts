import type { Draft } from "../draft.ts";
import { ConversionError, type Format, type FormatInput } from "../format.ts";
import { at, field, integer, list, record, records } from "./read.ts";
import { detectSweAgent } from "./swe-agent-detect.ts";
import { convertMessageRow, convertPairs, convertRoleText } from "./swe-agent-rows.ts";
import { convertRun } from "./swe-agent-run.ts";

/** SWE-agent: `.traj` files of 0.x and 1.x, demonstrations, retry runs, and rows of the data sets made with it. */
export const sweAgent: Format = {
  name: "swe-agent",
  description:
    "SWE-agent 0.x and 1.x .traj files, demonstrations, and data set rows (messages or role and text)",
  version: "1",
  detect: detectSweAgent,
  convert,
};

function convert(input: FormatInput): readonly Draft[] {
  const detection = detectSweAgent(input.value);
  const { value, stem } = input;
  const variant = detection.match ? detection.variant : input.variant;
  switch (variant) {
    case "row of role and text":
      return [convertRoleText({ ...input, variant })];
    case "row of messages":
      return [convertMessageRow({ ...input, variant })];
    case "action pairs":
      return [convertPairs({ ...input, variant })];
    case "history list":
      return [convertRun({ run: { history: list(value) ?? [] }, variant, stem })];
    case "attempts": {
      const drafts = convertAttempts(input);
      if (drafts.length > 0) return drafts;
      break;
    }
    default:
      break;
  }
  const run = record(value);
  if (run === undefined) {
    throw new ConversionError({
      code: "no-object",
      jsonPath: "$",
      reason: "a SWE-agent log is an object with a history or a trajectory list",
      remedy: "drop the .traj file as SWE-agent wrote it, or choose another format",
    });
  }
  return [
    list(field(run, "messages")) === undefined
      ? convertRun({ run, variant, stem })
      : convertMessageRow(input),
  ];
}

/** A retry run: every attempt is a trajectory of its own; the copy of the best one at the top is left out. */
function convertAttempts({ value, stem }: FormatInput): readonly Draft[] {
  const best = integer(at(value, "info", "best_attempt_idx"));
  return records(field(value, "attempts")).flatMap((attempt, index) => {
    const begun =
      records(field(attempt, "history")).length + records(field(attempt, "trajectory")).length > 0;
    const metadata = { attempt: index, ...(best === undefined ? {} : { best_attempt: best === index }) };
    return begun ? [convertRun({ run: attempt, variant: "attempts", stem, metadata })] : [];
  });
}
