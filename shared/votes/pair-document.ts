import { turnsOf, turnsText } from "../annotation/turns.ts";
import { agentSteps } from "../trajectory/agent-steps.ts";
import { contentText } from "../trajectory/content.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import type { Pair, PairRecord } from "./vote.ts";

/** Characters of a side's text, so that a hundred pairs still are a request of a few megabytes. */
const LONGEST = 20_000;
const LONGEST_TASK = 5_000;

/** What a voting service gets of a pair: no reward, no verdict, nothing that tells one side from the other. */
export function pairDocument(
  record: PairRecord,
  { left, right }: { readonly left: Trajectory; readonly right: Trajectory },
): Pair {
  return {
    schema: "gymline.pair.v1",
    pair_id: record.pair_id,
    task_id: record.task_id,
    task: taskText(left).slice(0, LONGEST_TASK).toWellFormed(),
    left: side(left),
    right: side(right),
  };
}

function side(trajectory: Trajectory): Pair["left"] {
  return {
    trajectory_id: trajectory.extra.gymline.id,
    steps: agentSteps(trajectory).length,
    text: turnsText(turnsOf(trajectory, LONGEST / 4), LONGEST),
  };
}

/** Both attempts have the same task; its description, else what the user asked first. */
function taskText(trajectory: Trajectory): string {
  const { description, id } = trajectory.extra.gymline.task;
  if (description !== undefined) return description;
  const asked = trajectory.steps.find(({ source }) => source === "user");
  return asked === undefined ? (id ?? "") : contentText(asked.message);
}
