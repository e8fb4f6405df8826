import { type SplitName, splitOf } from "../dataset/split.ts";
import {
  type KnowlyrTrajectory,
  knowlyrBenchmarkRow,
  knowlyrGrpoRow,
  knowlyrOf,
} from "../dataset/targets/knowlyr.ts";
import { type Rendering, row } from "../dataset/targets/rendering.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import { taskRow } from "../dataset/targets/task-rows.ts";
import { rowPieces } from "../dataset/targets/write-row.ts";
import type { TaskAttempts } from "../preferences/attempt.ts";
import type { MadeRow } from "./dataset-rows.ts";
import type { GroupWork } from "./plan-groups.ts";
import { loadAttempt } from "./stored-trajectory.ts";
import { withUtf8 } from "./utf8-pieces.ts";

interface RenderedTask {
  readonly rendering: Rendering;
  readonly members: MadeRow["members"];
  /** Where the texts are from. */
  readonly of: object;
}

/** knowlyr-gym's size of a group where none is asked for. */
const KNOWLYR_GROUP = 8;

/** A row for each task. */
export async function* taskRows(work: GroupWork): AsyncGenerator<MadeRow> {
  const { request, tasks, excluded, tasksLeftOut, ports } = work;
  const { columns } = targetOf(request.target);
  const written: Record<SplitName, number> = { train: 0, validation: 0, test: 0 };
  for (const [done, task] of tasks.entries()) {
    await ports.beat?.();
    const split = splitOf(work.splitKey(task.task), request.split);
    const { rendering, members, of } = await renderTask(task, { work, split, index: written[split] });
    ports.onProgress?.(done + 1, tasks.length);
    if (rendering.kind === "refused") {
      excluded.add(rendering.reason, task.attempts.length);
      tasksLeftOut.add(rendering.reason);
      continue;
    }
    written[split] += 1;
    excluded.add("another attempt stands for its task", task.attempts.length - members.length);
    const line = withUtf8(rowPieces(rendering.row, columns, of), (bytes) => new Uint8Array(bytes));
    yield { task: task.task, line, members };
  }
}

async function renderTask(
  task: TaskAttempts,
  at: { readonly work: GroupWork; readonly split: SplitName; readonly index: number },
): Promise<RenderedTask> {
  const { request, ports } = at.work;
  const { target } = request;
  if (target === "knowlyr-grpo" || target === "knowlyr-benchmark") return knowlyrTask(task, at.work);
  const [best] = task.attempts;
  if (best === undefined) throw new TypeError(`the task ${task.task} has no attempts`);
  const { trajectory, score, facts } = await loadAttempt(best, ports.store);
  const { split, index } = at;
  const listed = request.perTask ?? task.attempts.length;
  const source = { ...task, trajectory, score, split, index, envClass: request.envClass, listed };
  return { rendering: taskRow(target, source), members: [{ id: best.id, facts }], of: trajectory };
}

/** All attempts as text, one document in memory at a time. */
async function knowlyrTask(task: TaskAttempts, work: GroupWork): Promise<RenderedTask> {
  const { request, ports } = work;
  const isGrpo = request.target === "knowlyr-grpo";
  const none = (reason: string): RenderedTask => ({
    rendering: { kind: "refused", reason },
    members: [],
    of: task,
  });
  if (isGrpo && task.attempts.length < 2) return none("the only attempt at its task");
  const size = request.perTask ?? (isGrpo ? KNOWLYR_GROUP : task.attempts.length);
  const group: KnowlyrTrajectory[] = [];
  const members: MadeRow["members"][number][] = [];
  let taskId = "";
  for (const attempt of task.attempts.slice(0, size)) {
    const { trajectory, facts } = await loadAttempt(attempt, ports.store);
    const { steps, ...rest } = knowlyrOf(trajectory, attempt);
    taskId = rest.task_id ?? "";
    group.push(isGrpo && steps !== undefined ? { ...rest, steps } : rest);
    members.push({ id: attempt.id, facts });
  }
  if (isGrpo && taskId === "") return none("the log does not name its task");
  const rendered = isGrpo ? knowlyrGrpoRow(taskId, group) : knowlyrBenchmarkRow(taskId, group);
  return { rendering: row(rendered), members, of: group };
}
