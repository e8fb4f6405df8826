import { z } from "zod";
import type { TaskAttempts } from "./attempt.ts";
import { Counts } from "./counts.ts";

const attemptSchema = z.looseObject({
  id: z.union([z.string(), z.int()]).optional(),
  reward: z.number().nullable().default(0),
  step_count: z.int().nonnegative().nullish(),
  outcome_score: z.number().nullish(),
  success: z.boolean().nullish(),
  content_id: z.string().nullish(),
  scorer: z.string().nullish(),
});

/** A file of rewards by task is not what it should be; the message names the place. */
export class AttemptsFileError extends Error {
  override readonly name = "AttemptsFileError";
}

/** Attempts by task, as knowlyr-gym's `preferences` takes them: `{task: [{id, reward, …}]}`. */
const attemptsFileSchema = z.record(z.string(), z.array(attemptSchema));

/**
 * Reads attempts by task. As in knowlyr-gym, a missing reward is 0, and a missing id is `traj_<rank>`, the place
 * in the task's ranking by reward. A reward of null is no reward: such an attempt is left out and counted.
 *
 * @throws AttemptsFileError
 */
export function attemptsOfFile(value: unknown): {
  readonly tasks: readonly TaskAttempts[];
  readonly leftOut: Readonly<Record<string, number>>;
} {
  const leftOut = new Counts();
  // A record in zod gives the keys back as they came, but whole numbers first, as all of JavaScript does.
  const tasks = Object.entries(parsed(value)).map(([task, rows]): TaskAttempts => {
    const scored = rows.flatMap((row) => (row.reward === null ? [] : [{ ...row, reward: row.reward }]));
    leftOut.add("no reward", rows.length - scored.length);
    const ranked = scored.toSorted((a, b) => b.reward - a.reward);
    const attempts = ranked.map((row, rank) => ({
      id: String(row.id ?? `traj_${rank}`),
      contentId: row.content_id ?? null,
      reward: row.reward,
      steps: row.step_count ?? null,
      success: row.success ?? null,
      outcomeScore: row.outcome_score ?? null,
      scorer: row.scorer ?? null,
      scale: row.scorer ?? null,
    }));
    return { task, attempts };
  });
  return { tasks, leftOut: leftOut.record() };
}

function parsed(value: unknown): z.infer<typeof attemptsFileSchema> {
  const result = attemptsFileSchema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join(".") || "$"}: ${message}`);
  const shape = "rewards by task are {task: [{id, reward, …}]}";
  throw new AttemptsFileError(`${faults.join("; ")}; ${shape}`, { cause: result.error });
}
