import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { z } from "zod";
import { type EnvTask, envTaskSchema } from "../env/task.ts";
import { isSweBenchRow, sweBenchTask } from "./swe-bench-task.ts";

/** A file of tasks cannot be read; names the file, the line and what to do. */
export class TasksFileError extends Error {
  override readonly name = "TasksFileError";
  readonly place: string;
  constructor(place: string, reason: string, options?: ErrorOptions) {
    super(`${place}: ${reason}`, options);
    this.place = place;
  }
}

export interface ReadTasksOptions {
  /** Folder of clones for rows of SWE-bench. */
  readonly repositories?: string;
}

/**
 * Reads tasks: JSON Lines or one JSON array, each a task or a row of SWE-bench. A task without an id gets one from its
 * content, so that it keeps it wherever it stands.
 * @throws TasksFileError
 */
export function readTasks(text: string, file: string, options: ReadTasksOptions = {}): readonly EnvTask[] {
  const places = new Map<string, string>();
  const tasks = [...valuesOf(text, file)].map(({ value, place }) => {
    const task = taskOf(value, { place, options });
    const id = task.id ?? "";
    const before = places.get(id);
    if (before !== undefined) {
      throw new TasksFileError(
        place,
        `the id "${id}" stands at ${before} too; give each task one of its own, or take one of the two out`,
      );
    }
    places.set(id, place);
    return task;
  });
  if (tasks.length === 0)
    throw new TasksFileError(file, "there is no task in it; give one JSON object a line");
  return tasks;
}

interface Placed {
  readonly value: unknown;
  readonly place: string;
}

function* valuesOf(text: string, file: string): Generator<Placed> {
  const whole = text.startsWith("\ufeff") ? text.slice(1) : text;
  if (/^\s*\[/.test(whole)) {
    const list = parsed(whole, file);
    if (!Array.isArray(list)) throw new TasksFileError(file, "it is no list of tasks");
    for (const [index, value] of list.entries()) yield { value, place: `${file}, entry ${index + 1}` };
    return;
  }
  for (const [index, line] of whole.split(/\r?\n/).entries()) {
    const place = `${file}:${index + 1}`;
    if (line.trim() !== "") yield { value: parsed(line, place), place };
  }
}

function parsed(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The message of a SyntaxError quotes what it could not read.
    const what = "this is no JSON; give one JSON object a line, or one JSON array";
    throw new TasksFileError(place, what, cause instanceof SyntaxError ? {} : { cause });
  }
}

function taskOf(
  value: unknown,
  { place, options }: { readonly place: string; readonly options: ReadTasksOptions },
): EnvTask {
  const row = isSweBenchRow(value) ? sweBenchTask(value, options) : { kind: "task" as const, value };
  if (row.kind === "wrong") throw new TasksFileError(place, row.reason);
  const read = envTaskSchema.safeParse(row.value);
  if (!read.success) throw new TasksFileError(place, problem(read.error), { cause: read.error });
  const task = read.data;
  if (task.id !== undefined && task.id.trim() !== "") return task;
  if (Object.keys(task).length === 0)
    throw new TasksFileError(place, "the task is empty; give it a description");
  const { id: _, ...rest } = task;
  const hash = createHash("sha256")
    .update(String(canonicalize(rest)))
    .digest("hex");
  return { ...task, id: `task-${hash.slice(0, 16)}` };
}

function problem(error: z.ZodError): string {
  const [issue] = error.issues;
  const field = issue?.path.map(String).join(".") ?? "";
  if (field === "") return "a task is a JSON object with a description and more; this is none";
  return `the field ${field} is not what a task has there (${issue?.message ?? "not valid"}); correct it`;
}
