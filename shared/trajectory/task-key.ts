import { createHash } from "node:crypto";
import { contentText } from "./content.ts";
import type { Step, Trajectory } from "./schema.ts";

/** Groups attempts at one task: the task id, else `first-message:<hash>` of what the user asked. */
export function taskKeyOf(trajectory: Trajectory): string {
  return trajectory.extra.gymline.task.id ?? `first-message:${firstMessageHash(trajectory)}`;
}

function firstMessageHash(trajectory: Trajectory): string {
  const isOwn = (step: Step): boolean => step.is_copied_context !== true;
  const first =
    trajectory.steps.find((step) => step.source === "user" && isOwn(step)) ?? trajectory.steps.find(isOwn);
  return createHash("sha256").update(contentText(first?.message)).digest("hex").slice(0, 16);
}
