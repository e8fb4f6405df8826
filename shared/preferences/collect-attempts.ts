import type { CatalogEntry } from "../contracts/catalog-row.ts";
import type { Attempt, TaskAttempts } from "./attempt.ts";
import { Counts } from "./counts.ts";

type Entry = Pick<
  CatalogEntry,
  "id" | "contentId" | "taskKey" | "reward" | "agentSteps" | "success" | "outcomeScore" | "scorer"
>;

export interface CollectedAttempts {
  /** By task, in the order of their keys; the attempts as they came. */
  readonly tasks: readonly TaskAttempts[];
  readonly trajectories: number;
  readonly leftOut: Readonly<Record<string, number>>;
}

/**
 * Catalog entries by task. A catalog sorts by reward, so all have to be seen before a task is complete: what is kept of
 * each is a few numbers and two hashes, no text.
 */
export async function collectAttempts(entries: AsyncIterable<Entry>): Promise<CollectedAttempts> {
  const byTask = new Map<string, Attempt[]>();
  const leftOut = new Counts();
  let trajectories = 0;
  for await (const entry of entries) {
    trajectories += 1;
    const { reward } = entry;
    if (entry.agentSteps === 0) leftOut.add("the agent never acts");
    else if (entry.scorer === null) leftOut.add("not scored yet");
    else if (reward === null) leftOut.add("nothing could be scored");
    else {
      const attempt = attemptOf(entry, reward);
      const task = byTask.get(entry.taskKey);
      if (task === undefined) byTask.set(entry.taskKey, [attempt]);
      else task.push(attempt);
    }
  }
  const tasks = [...byTask]
    .map(([task, attempts]): TaskAttempts => ({ task, attempts }))
    .sort((a, b) => (a.task < b.task ? -1 : 1));
  return { tasks, trajectories, leftOut: leftOut.record() };
}

function attemptOf(entry: Entry, reward: number): Attempt {
  const { id, contentId, agentSteps: steps, success, outcomeScore, scorer } = entry;
  return { id, contentId, reward, steps, success, outcomeScore, scorer };
}
