import type { Task } from "../trajectory/gymline-extra.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import type { CriticRun } from "./critic-step.ts";
import { criticFeatureNames, criticFeatures, FEATURES_VERSION, prefixVectors } from "./features.ts";

export const CRITIC_TABLE_SCHEMA = "gymline.critic-table.v1";

/** A trajectory whose outcome is known. */
export interface LabelledTrajectory {
  readonly id: string;
  /** Never split between training and test: the repository, else the task, else the trajectory itself. */
  readonly group: string;
  readonly task: string;
  /** Where it comes from; figures are given for each set. */
  readonly set: string;
  readonly success: boolean;
  readonly run: CriticRun;
}

/** First line of the table. */
export function criticTableHeader(): string {
  return `${JSON.stringify({
    schema: CRITIC_TABLE_SCHEMA,
    features_version: FEATURES_VERSION,
    features: criticFeatureNames,
    directions: criticFeatures.map(([, , direction]) =>
      direction === "up" ? 1 : direction === "down" ? -1 : 0,
    ),
    relative: criticFeatures.map(([, , , relative]) => relative === "relative"),
  })}\n`;
}

/** One line for each prefix, from none of the steps to all of them. */
export function criticTableLines(labelled: LabelledTrajectory): string {
  const { id, group, task, set, success, run } = labelled;
  const steps = run.steps.length;
  let lines = "";
  let step = 0;
  for (const features of prefixVectors(run)) {
    lines += `${JSON.stringify({ id, group, task, set, step, steps, label: success ? 1 : 0, features })}\n`;
    step++;
  }
  return lines;
}

/** The set of a trajectory: format and agent. */
export function criticSet({ agent, extra }: Pick<Trajectory, "agent" | "extra">): string {
  return `${extra.gymline.provenance.format}, ${agent.name}`;
}

/**
 * The group of a trajectory: the repository where the task names one, also by a task id of the form
 * `owner__repository-number`; else the task; else the trajectory itself.
 */
export function criticGroup(task: Pick<Task, "id" | "repo">, trajectoryId: string): string {
  if (task.repo !== undefined && task.repo !== "") return `repository ${task.repo.toLowerCase()}`;
  const instance = /^([\w.-]+)__([\w.-]+)-\d+$/.exec(task.id ?? "");
  if (instance !== null) return `repository ${instance[1]}/${instance[2]}`.toLowerCase();
  return task.id === undefined || task.id === "" ? `trajectory ${trajectoryId}` : `task ${task.id}`;
}
