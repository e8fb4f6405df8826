import { type SplitName, splitOf } from "../dataset/split.ts";
import type { GroupRow, RefusedRow } from "../ports/compute.ts";
import type { TaskAttempts } from "../preferences/attempt.ts";
import type { MadeRow } from "./dataset-rows.ts";
import { inOrder } from "./in-order.ts";
import type { GroupWork } from "./plan-groups.ts";
import { withIndex } from "./row-index.ts";
import { loadPart, rowsOrDamage } from "./stored-trajectory.ts";

/** Tasks rendered side by side. */
const WINDOW = 16;

/** knowlyr-gym's size of a group where none is asked for. */
const KNOWLYR_GROUP = 8;

/** A row for each task. */
export async function* taskRows(work: GroupWork): AsyncGenerator<MadeRow> {
  const { request, tasks, excluded, tasksLeftOut, ports } = work;
  const written: Record<SplitName, number> = { train: 0, validation: 0, test: 0 };
  let done = 0;
  const render = (task: TaskAttempts): Promise<GroupRow | RefusedRow> => renderTask(task, work);
  for await (const { of, result } of inOrder(tasks, { width: WINDOW, work: render })) {
    await ports.beat?.();
    done += 1;
    ports.onProgress?.(done, tasks.length);
    if ("refused" in result) {
      excluded.add(result.refused, of.attempts.length);
      tasksLeftOut.add(result.refused);
      continue;
    }
    const split = splitOf(work.splitKey(of.task), request.split);
    const line = withIndex(result.line, written[split]);
    written[split] += 1;
    excluded.add("another attempt stands for its task", of.attempts.length - result.facts.length);
    const members = of.attempts.flatMap(({ id }, place) => {
      const facts = result.facts[place];
      return facts === undefined ? [] : [{ id, facts }];
    });
    yield { task: of.task, line, inspection: result.inspection, members };
  }
}

async function renderTask(of: TaskAttempts, work: GroupWork): Promise<GroupRow | RefusedRow> {
  const { request, ports } = work;
  const { target, perTask, envClass } = request;
  const isGrpo = target === "knowlyr-grpo";
  if (isGrpo && of.attempts.length < 2) return { refused: "the only attempt at its task" };
  const knowlyrSize = perTask ?? (isGrpo ? KNOWLYR_GROUP : of.attempts.length);
  const size = isGrpo || target === "knowlyr-benchmark" ? knowlyrSize : 1;
  const parts = await Promise.all(of.attempts.slice(0, size).map((each) => loadPart(each, ports.store)));
  const split = splitOf(work.splitKey(of.task), request.split);
  const [row] = rowsOrDamage(
    await ports.compute.group({ kind: "prompt", target, of, parts, split, envClass, perTask }),
  );
  if (row === undefined) throw new TypeError(`the task ${of.task} was given no answer`);
  return row;
}
