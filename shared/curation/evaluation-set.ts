import { createHash } from "node:crypto";

/** One task of an evaluation set, as far as the file says. */
export interface EvaluationItem {
  /** Its id, else its place in the file: what reports call it. */
  readonly label: string;
  readonly id: string | null;
  readonly repo: string | null;
  readonly commit: string | null;
  readonly texts: readonly string[];
}

/** A file of tasks that must not be trained on. */
export interface EvaluationSet {
  /** Name of the file, without its folders. */
  readonly name: string;
  readonly sha256: string;
  readonly items: readonly EvaluationItem[];
}

/** An evaluation set cannot be read, or nothing can be compared with what it holds. */
export class EvaluationSetError extends Error {
  override readonly name = "EvaluationSetError";
}

const ID_FIELDS = ["task_id", "instance_id", "id"];
const REPO_FIELDS = ["repo", "repository"];
const COMMIT_FIELDS = ["base_commit", "commit"];
const TEXT_FIELDS = ["problem_statement", "prompt", "question", "messages", "instruction", "description"];
const LIST_FIELDS = ["data", "rows", "instances", "tasks", "items", "examples", "questions"];
const WANTED = `give ${ID_FIELDS.join(", ")}, ${REPO_FIELDS[0]} with ${COMMIT_FIELDS[0]}, or ${TEXT_FIELDS.join(", ")}`;
const LABEL_LENGTH = 200;

/**
 * Reads the tasks of an evaluation set: JSON Lines, a JSON list (also one below `data`, `rows`, `instances`…), or a
 * text file with one task id or one task text a line (what has a blank in it is a text). Fields are found by their
 * usual names.
 * @param path names the set, and by its ending the format
 * @throws EvaluationSetError naming the file, the place and what is expected
 */
export function parseEvaluationSet(bytes: Uint8Array, path: string): EvaluationSet {
  const text = Buffer.from(bytes)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  const items = valuesOf(text, path).map(({ value, place }) => itemOf(value, `${path}${place}`));
  if (items.length === 0)
    throw new EvaluationSetError(`${path} holds no task; leave it out, or give a file that does`);
  const name = path.split(/[/\\]/).at(-1) ?? path;
  return { name, sha256: createHash("sha256").update(bytes).digest("hex"), items };
}

interface Placed {
  readonly value: unknown;
  readonly place: string;
}

function valuesOf(text: string, path: string): readonly Placed[] {
  const ending = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase();
  if (ending === "jsonl" || ending === "ndjson") return lineValues(text, path);
  if (ending === "json") return listValues(parsed(text, path), path);
  if (ending === "txt") return linesOf(text).map(({ line, place }) => ({ value: line, place }));
  throw new EvaluationSetError(
    `${path}: evaluation sets are read from .jsonl, .json or .txt files; save it as one of these`,
  );
}

function linesOf(text: string): readonly { readonly line: string; readonly place: string }[] {
  return text
    .split("\n")
    .map((line, index) => ({ line: line.trim(), place: `:${index + 1}` }))
    .filter(({ line }) => line !== "");
}

function lineValues(text: string, path: string): readonly Placed[] {
  return linesOf(text).map(({ line, place }) => ({ value: parsed(line, path + place), place }));
}

function parsed(text: string, place: string): unknown {
  if (text.trim() === "") throw new EvaluationSetError(`${place} is empty; ${WANTED} for each task`);
  try {
    return JSON.parse(text);
  } catch {
    // What the parser says quotes the text.
    throw new EvaluationSetError(
      `${place} is no valid JSON; mend it, or save one JSON object a line as .jsonl`,
    );
  }
}

function listValues(value: unknown, path: string): readonly Placed[] {
  if (Array.isArray(value))
    return value.map((each: unknown, index) => ({ value: each, place: ` $[${index}]` }));
  if (isRecord(value)) {
    for (const field of LIST_FIELDS) {
      const list = value[field];
      if (Array.isArray(list))
        return list.map((each: unknown, index) => ({ value: each, place: ` $.${field}[${index}]` }));
    }
    return [{ value, place: " $" }];
  }
  throw new EvaluationSetError(
    `${path} is neither a list of tasks nor an object with one; ${WANTED} for each`,
  );
}

function itemOf(value: unknown, place: string): EvaluationItem {
  if (typeof value === "string" && value.trim() !== "") {
    const text = value.trim();
    const own = /\s/.test(text) ? { id: null, texts: [text] } : { id: text, texts: [] };
    return { ...own, label: labelOf(own.id, place), repo: null, commit: null };
  }
  if (!isRecord(value)) throw new EvaluationSetError(`${place} is no task; ${WANTED}`);
  // Rows as the Hugging Face datasets server gives them.
  const row = isRecord(value["row"]) ? value["row"] : value;
  const id = idOf(row);
  const [repo, commit] = [textField(row, REPO_FIELDS), textField(row, COMMIT_FIELDS)];
  const texts = TEXT_FIELDS.flatMap((field) => textsOf(row[field]));
  if (id === null && (repo === null || commit === null) && texts.length === 0) {
    throw new EvaluationSetError(
      `${place} has no field to compare by; ${WANTED} (an id that is a mere number does not count)`,
    );
  }
  return { label: labelOf(id, place), id, repo, commit, texts };
}

/** Mere numbers are no ids: the 17th task of one set is not the 17th of another. */
function idOf(row: Readonly<Record<string, unknown>>): string | null {
  for (const field of ID_FIELDS) {
    const value = row[field];
    if (typeof value === "string" && value.trim() !== "" && !/^\d+$/.test(value.trim())) return value.trim();
  }
  return null;
}

function labelOf(id: string | null, place: string): string {
  return id !== null && id.length <= LABEL_LENGTH ? id : place.replace(/^.*[/\\]/, "");
}

function textField(row: Readonly<Record<string, unknown>>, fields: readonly string[]): string | null {
  for (const field of fields) {
    const value = row[field];
    if (typeof value === "string" && value.trim() !== "") return value.trim();
  }
  return null;
}

/** The text of a field: a string, or what users say in a list of messages. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return value.trim() === "" ? [] : [value];
  if (!Array.isArray(value)) return [];
  return value.flatMap((message: unknown): readonly string[] => {
    if (!isRecord(message)) return [];
    const role = message["role"] ?? message["from"] ?? "user";
    if (role !== "user" && role !== "human") return [];
    return partsOf(message["content"] ?? message["value"]);
  });
}

function partsOf(content: unknown): readonly string[] {
  if (typeof content === "string") return content.trim() === "" ? [] : [content];
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: unknown) =>
    isRecord(part) && typeof part["text"] === "string" ? [part["text"]] : [],
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
