import { createHash } from "node:crypto";
import { type GroupFacts, groupColumns } from "../dataset/targets/grpo-attempt.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import { rowPieces } from "../dataset/targets/write-row.ts";
import type { Attempt } from "../preferences/attempt.ts";
import { type MadeRow, renderedRows, type ToRender } from "./dataset-rows.ts";
import type { GroupWork } from "./plan-groups.ts";

/** Attempts in groups whose rewards may be compared: a row each, those of a group one after another. */
export async function* attemptRows(work: GroupWork): AsyncGenerator<MadeRow> {
  const { request, excluded, ports } = work;
  const { target } = request;
  const { columns } = targetOf(target);
  for await (const { of, made } of renderedRows(grouped(work), { target, excluded, ports })) {
    if (made === undefined) continue;
    const head = rowPieces(groupColumns(of.facts), columns).join("");
    // `{"group":…}\n` and `{"messages":…}\n` become one object.
    const line = Buffer.concat([Buffer.from(`${head.slice(0, -2)},`), made.line.subarray(1)]);
    yield { ...made, line };
  }
}

interface GroupAttempt extends ToRender {
  readonly facts: GroupFacts;
}

/** The attempts of all groups, one after another. */
function* grouped(work: GroupWork): Generator<GroupAttempt> {
  for (const { group, task, attempts } of groups(work)) {
    const facts = { group, rewards: attempts.map(({ reward }) => reward) };
    for (const { id, scorer } of attempts) yield { id, taskKey: task, revision: "", scorer, facts };
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
