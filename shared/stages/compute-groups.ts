import {
  type KnowlyrTrajectory,
  knowlyrBenchmarkRow,
  knowlyrGrpoRow,
  knowlyrOf,
} from "../dataset/targets/knowlyr.ts";
import { renderPair } from "../dataset/targets/pair-rows.ts";
import { type Rendering, row } from "../dataset/targets/rendering.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import { taskRow } from "../dataset/targets/task-rows.ts";
import { rowPieces } from "../dataset/targets/write-row.ts";
import type {
  GroupRow,
  GroupRows,
  GroupTask,
  PairsTask,
  PromptTask,
  RefusedRow,
  StoredPart,
} from "../ports/compute.ts";
import { UNKNOWN_INDEX } from "./row-index.ts";
import { readTrajectory, type StoredTrajectory } from "./stored-trajectory.ts";
import { withUtf8 } from "./utf8-pieces.ts";

/** Rows that are made of several trajectories: what the compute port does for pairs and tasks. */
export function computeGroup(task: GroupTask): GroupRows {
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
    return { kind: "rows", rows: task.kind === "pairs" ? pairRowsOf(task, read) : [promptRowOf(task, read)] };
  } catch (error) {
    if (damage.id === undefined || damage.error !== error) throw error;
    return { kind: "damaged", id: damage.id, why: error instanceof Error ? error.message : String(error) };
  }
}

type Read = (part: StoredPart) => StoredTrajectory;

function pairRowsOf(task: PairsTask, read: Read): readonly (GroupRow | RefusedRow)[] {
  const { target, unit, pairs } = task;
  const trajectories = task.parts.map(read);
  return pairs.map(({ of: pair, ...places }) => {
    const [chosen, rejected] = [trajectories[places.chosen], trajectories[places.rejected]];
    if (chosen === undefined || rejected === undefined) throw new TypeError("a pair lacks a document");
    const of = { pair, task: task.task, chosen: chosen.trajectory, rejected: rejected.trajectory };
    return written(renderPair(target, of, unit), { target, facts: [chosen.facts, rejected.facts] });
  });
}

function promptRowOf(task: PromptTask, read: Read): GroupRow | RefusedRow {
  const { target, of, split, envClass, parts } = task;
  if (target === "knowlyr-grpo" || target === "knowlyr-benchmark") return knowlyrRowOf(task, read);
  const [part] = parts;
  if (part === undefined) throw new TypeError(`the task ${of.task} has no document`);
  const { trajectory, score, facts } = read(part);
  const listed = task.perTask ?? of.attempts.length;
  const source = { ...of, trajectory, score, split, index: UNKNOWN_INDEX, envClass, listed };
  return written(taskRow(target, source), { target, facts: [facts] });
}

/** All attempts as text, one document unpacked at a time. */
function knowlyrRowOf({ target, of, parts }: PromptTask, read: Read): GroupRow | RefusedRow {
  const isGrpo = target === "knowlyr-grpo";
  const group: KnowlyrTrajectory[] = [];
  const facts: GroupRow["facts"][number][] = [];
  let taskId = "";
  for (const [place, part] of parts.entries()) {
    const attempt = of.attempts[place];
    if (attempt === undefined) break;
    const stored = read(part);
    const { steps, ...rest } = knowlyrOf(stored.trajectory, attempt);
    taskId = rest.task_id ?? "";
    group.push(isGrpo && steps !== undefined ? { ...rest, steps } : rest);
    facts.push(stored.facts);
  }
  if (isGrpo && taskId === "") return { refused: "the log does not name its task" };
  const rendered = isGrpo ? knowlyrGrpoRow(taskId, group) : knowlyrBenchmarkRow(taskId, group);
  return written(row(rendered), { target, facts });
}

function written(
  rendering: Rendering,
  to: { readonly target: GroupTask["target"]; readonly facts: GroupRow["facts"] },
): GroupRow | RefusedRow {
  if (rendering.kind === "refused") return { refused: rendering.reason };
  const pieces = rowPieces(rendering.row, targetOf(to.target).columns);
  return { line: withUtf8(pieces, (bytes) => new Uint8Array(bytes)), facts: to.facts };
}
