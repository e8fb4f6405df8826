import { randomBytes } from "node:crypto";
import { readTasks } from "../../shared/collect/read-tasks.ts";
import { selectTasks } from "../../shared/collect/select-tasks.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { listOf, required, type ShapingOptions } from "./collect-settings.ts";
import { whole } from "./judge-settings.ts";
import { textOfFile } from "./text-lines.ts";

/** The tasks that the options choose. @throws UsageError, TasksFileError, TaskFilterError */
export function tasksOf(options: ShapingOptions, seed: number): readonly EnvTask[] {
  const file = required("tasks", options.tasks);
  const size = whole("--sample", options.sample);
  const limit = whole("--limit", options.limit);
  const clones = options.repos === undefined ? {} : { repositories: options.repos };
  const lists = {
    ids: listOf(options.ids),
    domains: listOf(options.domain),
    difficulties: listOf(options.difficulty),
    languages: listOf(options.language),
  };
  return selectTasks(readTasks(textOfFile(file), file, clones), {
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list !== undefined)),
    ...(size === undefined ? {} : { sample: { size, seed } }),
    ...(limit === undefined ? {} : { limit }),
  });
}

/** A name for a run that began then: `20260101-120000-3fa2`, in UTC. */
export function runNameOf(date: Date): string {
  const digits = date.toISOString().replace(/\D/g, "");
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}-${randomBytes(2).toString("hex")}`;
}
