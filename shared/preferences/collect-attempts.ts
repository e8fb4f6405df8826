import type { CatalogEntry } from "../contracts/catalog-row.ts";
import { scorerScale } from "../reward/scorer-id.ts";
import type { Attempt, TaskAttempts } from "./attempt.ts";
import { Counts } from "./counts.ts";

type Entry = Pick<
  CatalogEntry,
  | ("id" | "contentId" | "taskKey" | "agentSteps" | "success" | "outcomeScore" | "scorer")
  | ("reward" | "outcome" | "process" | "efficiency")
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
 *
 * A reward is a mean over the layers that are known, so one with a verdict and one without are different quantities;
 * `layers` says whether they may be compared all the same.
 */
export async function collectAttempts(
  entries: AsyncIterable<Entry>,
  { layers }: { readonly layers: "same" | "any" } = { layers: "same" },
): Promise<CollectedAttempts> {
  const scales = new Map<string, string>();
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
      const attempt = attemptOf(entry, { reward, scale: interned(scales, scaleOf(entry, layers)) });
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

function attemptOf(
  { id, contentId, agentSteps: steps, success, outcomeScore, scorer }: Entry,
  { reward, scale }: { readonly reward: number; readonly scale: string },
): Attempt {
  return { id, contentId, reward, steps, success, outcomeScore, scorer, scale };
}

function scaleOf(entry: Entry, layers: "same" | "any"): string {
  const known = (["outcome", "process", "efficiency"] as const).filter((layer) => entry[layer] !== null);
  const scorer = entry.scorer ?? "";
  return layers === "any" ? (scorer.split("-")[0] ?? "") : [scorerScale(scorer), ...known].join(" ");
}

/** One string for all attempts instead of one for each. */
function interned(known: Map<string, string>, text: string): string {
  const found = known.get(text) ?? text;
  known.set(text, found);
  return found;
}
