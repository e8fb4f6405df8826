import { z } from "zod";
import { type EnvTask, envTaskSchema } from "../../shared/env/task.ts";
import { type Trajectory, trajectorySchema } from "../../shared/trajectory/schema.ts";
import { linesOf, textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

/** The task with an id in a file of tasks, one JSON object a line; the only one where no id is given. @throws UsageError */
export function taskOf(file: string, id: string | undefined): EnvTask {
  const tasks = linesOf(file).map(({ text, line }) =>
    parsed({ text, place: `${file}:${line}`, schema: envTaskSchema, what: "no task" }),
  );
  const found = id === undefined ? tasks : tasks.filter((task) => task.id === id);
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only;
  const ids = tasks.map((task) => task.id ?? "without an id").slice(0, 10);
  const which = id === undefined ? "no single task" : `no single task ${JSON.stringify(id)}`;
  throw new UsageError(`${file} holds ${which}; give --task-id with one of: ${ids.join(", ")}`);
}

/** @throws UsageError */
export function trajectoryOf(file: string): Trajectory {
  return parsed({
    text: textOfFile(file),
    place: file,
    schema: trajectorySchema,
    what: "no trajectory in the program's own format (gymline convert makes one)",
  });
}

function parsed<T>(request: {
  readonly text: string;
  readonly place: string;
  readonly schema: z.ZodType<T>;
  readonly what: string;
}): T {
  const { text, place, schema, what } = request;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${place} is no JSON`, { cause });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new UsageError(`${place} is ${what}: ${z.prettifyError(result.error)}`, { cause: result.error });
}
