import type { LeaderboardRun } from "../../shared/leaderboard/leaderboard.ts";
import type { ScoredRun } from "../../shared/leaderboard/run-clusters.ts";
import { createRandom } from "../../shared/statistics/random.ts";

export function makeRun(id: string, more: Partial<LeaderboardRun> = {}): LeaderboardRun {
  return {
    id,
    agent: "agent",
    model: "model",
    domain: "coding",
    taskKey: `task of ${id}`,
    reward: 0.5,
    process: 0.5,
    outcome: 1,
    success: true,
    agentSteps: 4,
    ...more,
  };
}

/** `attempts` runs at each task; runs at one task are alike, and all are `lift` better. */
export function makeRuns({
  tasks,
  seed,
  lift = 0,
  attempts = 3,
  prefix = "task",
}: {
  readonly tasks: number;
  readonly seed: number;
  readonly lift?: number;
  readonly attempts?: number;
  readonly prefix?: string;
}): readonly ScoredRun[] {
  const random = createRandom(seed);
  return Array.from({ length: tasks }, (_, task) => task).flatMap((task) => {
    // The same for whoever attempts the task, so that pairing takes it away.
    const difficulty = createRandom(1000 + task).float();
    return Array.from({ length: attempts }, () => ({
      task: `${prefix} ${task}`,
      value: difficulty + 0.2 * random.float() + lift,
    }));
  });
}
