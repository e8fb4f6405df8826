import { existsSync } from "node:fs";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import type { Rejection } from "../../shared/reading/rejection.ts";
import type { TaskSettings } from "../../shared/stages/compute-tasks.ts";
import { EXIT } from "./exit-code.ts";
import { rejectionReport } from "./reports.ts";
import { loadSettings, type SettingsOptions } from "./settings.ts";
import { note } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Rejections that a report lists; more are only counted. */
const LISTED = 1000;

/** Settings for commands that read paths and store nothing. @throws UsageError where a path is not there */
export async function readingSettings(
  paths: readonly string[],
  options: SettingsOptions,
): Promise<TaskSettings> {
  for (const path of paths) {
    if (!existsSync(path)) throw new UsageError(`there is no ${path}; give files or folders of agent logs`);
  }
  return taskSettings(loadSettings(options).plan);
}

/** Collects what was rejected, reports it on stderr and sets the exit code. */
export class Rejections {
  count = 0;
  readonly #listed: Rejection[] = [];

  add(rejection: Rejection): void {
    this.count += 1;
    if (this.#listed.length < LISTED) this.#listed.push(rejection);
  }

  report(): void {
    if (this.count === 0) return;
    note(rejectionReport(this.#listed, { total: this.count, shown: LISTED }));
    process.exitCode = EXIT.rejected;
  }
}
