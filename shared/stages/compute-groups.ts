import {
  type KnowlyrTrajectory,
  knowlyrBenchmarkRow,
  knowlyrGrpoRow,
  knowlyrOf,
} from "../dataset/targets/knowlyr.ts";
import { renderPair } from "../dataset/targets/pair-rows.ts";
import { type Rendering, row } from "../dataset/targets/rendering.ts";
import { taskRow } from "../dataset/targets/task-rows.ts";
import type {
  GroupRow,
  GroupRows,
  GroupTask,
  PairsTask,
  PromptTask,
  RefusedRow,
  StoredPart,
} from "../ports/compute.ts";
import { inspectedLine, type TaskSettings } from "./compute-tasks.ts";
import { UNKNOWN_INDEX } from "./row-index.ts";
import { readTrajectory, type StoredTrajectory } from "./stored-trajectory.ts";

/** Rows that are made of several trajectories: what the compute port does for pairs and tasks. */
export function computeGroup(task: GroupTask, settings: TaskSettings): GroupRows {
  const damage: { id?: string; error?: unknown } = {};
  const read = (part: StoredPart): StoredTrajectory => {
    try {
      return readTrajectory(part);
    } catch (error) {
      Object.assign(damage, { id: part.id, error });
      throw error;
    }
  };
  try {
    const by: Made = { read, settings };
    return { kind: "rows", rows: task.kind === "pairs" ? pairRowsOf(task, by) : [promptRowOf(task, by)] };
  } catch (error) {
    if (damage.id === undefined || damage.error !== error) throw error;
    return { kind: "damaged", id: damage.id, why: error instanceof Error ? error.message : String(error) };
  }
}

interface Made {
  readonly read: (part: StoredPart) => StoredTrajectory;
  readonly settings: TaskSettings;
}

function pairRowsOf(task: PairsTask, by: Made): readonly (GroupRow | RefusedRow)[] {
  const { target, unit, pairs } = task;
  const trajectories = task.parts.map(by.read);
  return pairs.map(({ of: pair, ...places }) => {
    const [chosen, rejected] = [trajectories[places.chosen], trajectories[places.rejected]];
    if (chosen === undefined || rejected === undefined) throw new TypeError("a pair lacks a document");
    const of = { pair, task: task.task, chosen: chosen.trajectory, rejected: rejected.trajectory };
    return written(renderPair(target, of, unit), { target, by, facts: [chosen.facts, rejected.facts] });
  });
}

function promptRowOf(task: PromptTask, by: Made): GroupRow | RefusedRow {
  const { target, of, split, envClass, parts } = task;
  if (target === "knowlyr-grpo" || target === "knowlyr-benchmark") return knowlyrRowOf(task, by);
  const [part] = parts;
  if (part === undefined) throw new TypeError(`the task ${of.task} has no document`);
  const { trajectory, score, facts } = by.read(part);
  const listed = task.perTask ?? of.attempts.length;
  const source = { ...of, trajectory, score, split, index: UNKNOWN_INDEX, envClass, listed };
  return written(taskRow(target, source), { target, by, facts: [facts] });
}

/** All attempts as text, one document unpacked at a time. */
function knowlyrRowOf({ target, of, parts }: PromptTask, by: Made): GroupRow | RefusedRow {
  const isGrpo = target === "knowlyr-grpo";
  const group: KnowlyrTrajectory[] = [];
  const facts: GroupRow["facts"][number][] = [];
  let taskId = "";
  for (const [place, part] of parts.entries()) {
    const attempt = of.attempts[place];
    if (attempt === undefined) break;
    const stored = by.read(part);
    const { steps, ...rest } = knowlyrOf(stored.trajectory, attempt);
    taskId = rest.task_id ?? "";
    group.push(isGrpo && steps !== undefined ? { ...rest, steps } : rest);
    facts.push(stored.facts);
  }
  if (isGrpo && taskId === "") return { refused: "the log does not name its task" };
  const rendered = isGrpo ? knowlyrGrpoRow(taskId, group) : knowlyrBenchmarkRow(taskId, group);
  return written(row(rendered), { target, by, facts });
}

function written(
  rendering: Rendering,
  to: {
    readonly target: GroupTask["target"];
    readonly by: Made;
    readonly facts: GroupRow["facts"];
  },
): GroupRow | RefusedRow {
  if (rendering.kind === "refused") return { refused: rendering.reason };
  const { target, by, facts } = to;
  return { ...inspectedLine(rendering.row, { target, settings: by.settings }), facts };
}
