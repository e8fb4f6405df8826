import type { EnvTask } from "../env/task.ts";
import { createRandom } from "../statistics/random.ts";

/** Which tasks of a file are meant. Names count whatever their case; several of one filter mean any of them. */
export interface TaskFilters {
  readonly ids?: readonly string[];
  readonly domains?: readonly string[];
  readonly difficulties?: readonly string[];
  readonly languages?: readonly string[];
  /** So many drawn by chance from those that fit, in the order of the file. */
  readonly sample?: { readonly size: number; readonly seed: number };
  /** At most so many, after all else. */
  readonly limit?: number;
}

/** Filters leave nothing, or name what is not there. */
export class TaskFilterError extends Error {
  override readonly name = "TaskFilterError";
}

/** @throws TaskFilterError */
export function selectTasks(tasks: readonly EnvTask[], filters: TaskFilters): readonly EnvTask[] {
  checkIds(tasks, filters.ids);
  const fitting = tasks.filter(
    (task) =>
      fits(task.id, filters.ids) &&
      fits(task.domain, filters.domains) &&
      fits(task.difficulty, filters.difficulties) &&
      fits(task.language, filters.languages),
  );
  const drawn = filters.sample === undefined ? fitting : sampled(fitting, filters.sample);
  const chosen = filters.limit === undefined ? drawn : drawn.slice(0, filters.limit);
  if (chosen.length > 0) return chosen;
  throw new TaskFilterError(`None of the ${tasks.length} tasks fits the filters${present(tasks, filters)}`);
}

function fits(value: string | undefined, wanted: readonly string[] | undefined): boolean {
  if (wanted === undefined || wanted.length === 0) return true;
  return wanted.some((each) => each.toLowerCase() === value?.toLowerCase());
}

function checkIds(tasks: readonly EnvTask[], ids: readonly string[] = []): void {
  const missing = ids.filter((id) => !tasks.some((task) => fits(task.id, [id])));
  if (missing.length === 0) return;
  throw new TaskFilterError(`There is no task ${missing.slice(0, 5).join(", ")} among the ${tasks.length}`);
}

function sampled(
  tasks: readonly EnvTask[],
  { size, seed }: { readonly size: number; readonly seed: number },
): readonly EnvTask[] {
  const drawn = new Set(createRandom(seed).shuffled(tasks).slice(0, size));
  return tasks.filter((task) => drawn.has(task));
}

const FIELDS = { domains: "domain", difficulties: "difficulty", languages: "language" } as const;

/** What the filtered fields do hold. */
function present(tasks: readonly EnvTask[], filters: TaskFilters): string {
  const told = Object.entries(FIELDS).flatMap(([filter, field]) => {
    if (filters[filter as keyof typeof FIELDS] === undefined) return [];
    const values = [...new Set(tasks.map((task) => task[field] ?? "none"))].sort();
    return `${field}: ${values.slice(0, 8).join(", ")}`;
  });
  return told.length === 0 ? "" : `; there is ${told.join("; ")}`;
}
