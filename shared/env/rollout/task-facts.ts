import type { Task } from "../../trajectory/gymline-extra.ts";
import type { EnvTask } from "../task.ts";

/**
 * What a trajectory says of its task. What only the environment reads (its files, hidden tests, criteria) stays out: it
 * would tell the answer to whoever trains on the trajectory.
 */
export function taskFacts(task: EnvTask): Task {
  const { id, description, repo, base_commit, test_command } = task;
  const { language, difficulty, success_criteria } = task;
  const metadata = { ...task.metadata, ...given({ language, difficulty, success_criteria }) };
  return {
    ...given({ id, description, repo, base_commit, test_command }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  };
}

function given(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
