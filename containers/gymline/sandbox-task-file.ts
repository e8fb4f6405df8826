import { z } from "zod";
import { readTasks } from "../../shared/collect/read-tasks.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { type Trajectory, trajectorySchema } from "../../shared/trajectory/schema.ts";
import { jsonOf, textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

/** The task with an id in a file of tasks; the only one where no id is given. @throws UsageError, TasksFileError */
export function taskOf(file: string, id: string | undefined): EnvTask {
  const tasks = readTasks(textOfFile(file), file);
  const found = id === undefined ? tasks : tasks.filter((task) => task.id === id);
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only;
  const ids = tasks.map((task) => task.id).slice(0, 10);
  const which = id === undefined ? "no single task" : `no single task ${JSON.stringify(id)}`;
  throw new UsageError(`${file} holds ${which}; give --task-id with one of: ${ids.join(", ")}`);
}

/** @throws UsageError */
export function trajectoryOf(file: string): Trajectory {
  const result = trajectorySchema.safeParse(jsonOf(textOfFile(file), file));
  if (result.success) return result.data;
  const what = "no trajectory in the program's own format (gymline convert makes one)";
  throw new UsageError(`${file} is ${what}: ${z.prettifyError(result.error)}`, { cause: result.error });
}
