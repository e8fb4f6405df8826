import { z } from "zod";
import { CalibrationError } from "./calibration-error.ts";
import type { CalibrationRow } from "./calibration-row.ts";
import { parseCsv } from "./csv.ts";

const columnsSchema = z.looseObject({
  reward_scores: z.array(z.number()),
  human_scores: z.array(z.number()),
});

const rowSchema = z.looseObject({
  id: z.union([z.string(), z.number()]).nullish(),
  score: z.number(),
  human: z.number(),
  group: z.union([z.string(), z.number()]).nullish(),
  success: z.boolean().nullish(),
});

const SHAPES =
  'give {"reward_scores": […], "human_scores": […]}, or rows of score, human and, if you like, group, success and id, as JSON, JSON Lines or CSV with a header';

/**
 * Reads scores and human scores from a file: two columns in one JSON object, or rows as a JSON array, JSON Lines or CSV.
 * @throws CalibrationError naming the file, the line or field, and what is expected
 */
export function readCalibrationRows(text: string, sourceName: string): readonly CalibrationRow[] {
  const body = text.replace(/^\uFEFF/, "");
  const start = body.trimStart()[0];
  if (start === undefined) throw new CalibrationError(`${sourceName} is empty; ${SHAPES}`);
  if (start !== "{" && start !== "[") return csvRows(body, sourceName);
  const whole = tryJson(body);
  if (whole === undefined) return lineRows(body, sourceName);
  if (Array.isArray(whole)) {
    return whole.map((row, index) => toRow(row, { place: `${sourceName} $[${index}]`, id: `$[${index}]` }));
  }
  if (typeof whole === "object" && whole !== null && "score" in whole) return lineRows(body, sourceName);
  return columnRows(whole, sourceName);
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function columnRows(value: unknown, sourceName: string): readonly CalibrationRow[] {
  const columns = columnsSchema.safeParse(value);
  if (!columns.success) throw wrong(sourceName, columns.error);
  const { reward_scores: scores, human_scores: humans } = columns.data;
  if (scores.length !== humans.length) {
    throw new CalibrationError(
      `${sourceName}: ${scores.length} reward_scores stand against ${humans.length} human_scores; give one for each, in the same order`,
    );
  }
  return scores.map((score, index) => ({
    id: String(index),
    group: null,
    score,
    human: humans[index] ?? Number.NaN,
    success: null,
  }));
}

function lineRows(text: string, sourceName: string): readonly CalibrationRow[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "") return [];
    const place = `${sourceName}:${index + 1}`;
    const value = tryJson(line);
    if (value === undefined) throw new CalibrationError(`${place}: this line is no JSON; ${SHAPES}`);
    return [toRow(value, { place, id: `line ${index + 1}` })];
  });
}

function csvRows(text: string, sourceName: string): readonly CalibrationRow[] {
  const [header, ...body] = parsedCsv(text, sourceName);
  const names = header?.cells.map((name) => name.toLowerCase()) ?? [];
  for (const name of ["score", "human"]) {
    if (names.includes(name)) continue;
    throw new CalibrationError(`${sourceName}:1: the header has no column "${name}"; ${SHAPES}`);
  }
  return body.map(({ line, cells }) => {
    const cell = (name: string): string => cells[names.indexOf(name)] ?? "";
    const optional = (name: string): string | null => (cell(name) === "" ? null : cell(name));
    const success = cell("success").toLowerCase();
    const row = {
      id: optional("id"),
      score: numberOf(cell("score")),
      human: numberOf(cell("human")),
      group: optional("group"),
      success: TRUTH.has(success) ? TRUTH.get(success) : success,
    };
    return toRow(row, { place: `${sourceName}:${line}`, id: `line ${line}` });
  });
}

const TRUTH: ReadonlyMap<string, boolean | null> = new Map([
  ["", null],
  ["true", true],
  ["1", true],
  ["yes", true],
  ["false", false],
  ["0", false],
  ["no", false],
]);

function numberOf(cell: string): unknown {
  const value = Number(cell);
  return cell === "" || !Number.isFinite(value) ? cell : value;
}

function parsedCsv(text: string, sourceName: string): ReturnType<typeof parseCsv> {
  try {
    return parseCsv(text);
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? cause.message : "it cannot be read";
    throw new CalibrationError(`${sourceName} is no CSV: ${reason}; ${SHAPES}`, { cause });
  }
}

function toRow(value: unknown, at: { readonly place: string; readonly id: string }): CalibrationRow {
  const row = rowSchema.safeParse(value);
  if (!row.success) throw wrong(at.place, row.error);
  const { id, score, human, group, success } = row.data;
  return {
    id: String(id ?? at.id),
    group: group === null || group === undefined ? null : String(group),
    score,
    human,
    success: success ?? null,
  };
}

function wrong(place: string, error: z.ZodError): CalibrationError {
  const reasons = error.issues.slice(0, 3).map((issue) => `${issue.path.join(".") || "$"}: ${issue.message}`);
  return new CalibrationError(`${place}: ${reasons.join("; ")}; ${SHAPES}`, { cause: error });
}
