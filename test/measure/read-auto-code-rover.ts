import type { BareRepository } from "./bare-repository.ts";
import { type LabelledRun, projectOf } from "./labelled-sets.ts";

/**
 * Runs of AutoCodeRover. A run is a folder named by task and time; its longest conversation (the last that
 * writes a patch, else the last round of search) is the whole log.
 */
export async function* autoCodeRoverRuns(
  repository: BareRepository,
  settings: readonly string[],
): AsyncGenerator<LabelledRun> {
  for (const setting of settings) {
    const root = `results/${setting}/`;
    const report = await repository.json<{ readonly resolved: readonly string[] }>(
      `${root}new_eval_results/report.json`,
    );
    const resolved = new Set(report?.resolved ?? []);
    for (const [folder, files] of runFolders(repository.paths(root, ".json"), root)) {
      const task = /([^/]+)_\d{4}-\d\d-\d\d_[\d-]+$/.exec(folder)?.[1];
      const file =
        lastOf(files, /\/debug_agent_write_patch_(\d+)\.json$/) ??
        lastOf(files, /\/conversation_round_(\d+)\.json$/);
      if (task === undefined || file === undefined) continue;
      const messages = await repository.json(file);
      if (!Array.isArray(messages) || messages.length === 0) continue;
      yield {
        name: `${setting}-${task}`,
        log: { messages: withoutVerdict(messages), task_id: task },
        format: "openai-messages",
        task,
        group: projectOf(task),
        label: resolved.has(task) ? 1 : 0,
      };
    }
  }
}

/** With validation, the tests that decide are run inside the run: the last message would give the outcome away. */
function withoutVerdict(messages: readonly unknown[]): readonly unknown[] {
  const last = messages.at(-1) as { readonly role?: string; readonly content?: unknown };
  const tells =
    last?.role === "user" && typeof last.content === "string" && /resolves? the issue/.test(last.content);
  return tells ? messages.slice(0, -1) : messages;
}

function runFolders(paths: readonly string[], root: string): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const folder = new RegExp(`^${root}\\w+/[^/]+(?=/[^/]+$)`).exec(path)?.[0];
    if (folder === undefined) continue;
    const files = folders.get(folder);
    if (files === undefined) folders.set(folder, [path]);
    else files.push(path);
  }
  return folders;
}

function lastOf(files: readonly string[], pattern: RegExp): string | undefined {
  let best: { readonly path: string; readonly number: number } | undefined;
  for (const path of files) {
    const number = Number(pattern.exec(path)?.[1] ?? Number.NaN);
    if (number > (best?.number ?? -1)) best = { path, number };
  }
  return best?.path;
}
