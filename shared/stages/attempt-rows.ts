import { createHash } from "node:crypto";
import type { Attempt } from "../preferences/attempt.ts";
import { type MadeRow, type ToRender, trajectoryRows } from "./dataset-rows.ts";
import type { GroupWork } from "./plan-groups.ts";

/** Attempts in groups whose rewards may be compared: a row each, those of a group one after another. */
export function attemptRows(work: GroupWork): AsyncIterable<MadeRow> {
  const { request, excluded, ports } = work;
  return trajectoryRows(grouped(work), { target: request.target, excluded, ports });
}

/** The attempts of all groups, one after another. */
function* grouped(work: GroupWork): Generator<ToRender> {
  for (const { group, task, attempts } of groups(work)) {
    const facts = { group, rewards: attempts.map(({ reward }) => reward) };
    for (const { id, scorer } of attempts) yield { id, taskKey: task, revision: "", scorer, group: facts };
  }
}

function* groups(
  work: GroupWork,
): Generator<{ readonly group: string; readonly task: string; readonly attempts: readonly Attempt[] }> {
  const { request, tasks, excluded, tasksLeftOut, ports } = work;
  let done = 0;
  for (const { task, attempts } of tasks) {
    ports.onProgress?.(++done, tasks.length);
    const scales = [...Map.groupBy(attempts, ({ scale }) => scale).values()];
    for (const [index, all] of scales.entries()) {
      const kept = drawn(all, request);
      excluded.add("enough of its task", all.length - kept.length);
      const [first] = kept;
      const reason =
        kept.length < 2
          ? "the only attempt at its task"
          : kept.every(({ reward }) => reward === first?.reward)
            ? "all rewards of its group are equal"
            : undefined;
      if (reason === undefined) {
        yield { group: index === 0 ? task : `${task}#${index + 1}`, task, attempts: kept };
        continue;
      }
      excluded.add(reason, kept.length);
      tasksLeftOut.add(reason);
    }
  }
}

/** At most `perTask` attempts, drawn by the seed: the best ones alone would bend the group's mean. */
function drawn(attempts: readonly Attempt[], { perTask, split }: GroupWork["request"]): readonly Attempt[] {
  if (perTask === undefined || attempts.length <= perTask) return attempts;
  const lot = ({ id }: Attempt): string => createHash("sha256").update(`${split.seed}\n${id}`).digest("hex");
  const lots = new Map(attempts.map((attempt) => [attempt, lot(attempt)]));
  const least = attempts.toSorted((a, b) => ((lots.get(a) ?? "") < (lots.get(b) ?? "") ? -1 : 1));
  const kept = new Set(least.slice(0, perTask));
  return attempts.filter((attempt) => kept.has(attempt));
}
