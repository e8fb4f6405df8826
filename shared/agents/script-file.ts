import { z } from "zod";
import type { Agent } from "./agent.ts";
import { type ScriptedTurn, scriptedAgent } from "./scripted.ts";

const turnSchema = z.strictObject({
  message: z.string().exactOptional(),
  reasoning: z.string().exactOptional(),
  calls: z
    .array(
      z.strictObject({
        id: z.string().exactOptional(),
        tool: z.string().min(1),
        params: z.record(z.string(), z.unknown()).default({}),
        rawArguments: z.string().exactOptional(),
      }),
    )
    .exactOptional(),
  costUsd: z.number().nonnegative().exactOptional(),
});
const turnsSchema = z.array(turnSchema);
/** Several lists are those of the attempts, which begin anew after the last. */
const attemptsSchema = z.union([turnsSchema, z.array(turnsSchema).min(1)]);

/** Turns for every task, or for tasks by their ids. */
const scriptFileSchema = z.union([
  attemptsSchema,
  z.strictObject({ default: attemptsSchema.optional(), tasks: z.record(z.string(), attemptsSchema) }),
]);

/** A file of scripted turns is not what it should be, or has none for a task. */
export class ScriptFileError extends Error {
  override readonly name = "ScriptFileError";
}

/**
 * The agents of a script file, by task and attempt. The file is a list of turns (`{message, calls: [{tool, params}]}`),
 * a list of such lists for the attempts, or `{tasks: {<id>: …}, default: …}`.
 * @throws ScriptFileError
 */
export function scriptedAgents(
  value: unknown,
  file: string,
): (episode: { readonly taskId: string; readonly attempt: number }) => Agent {
  const read = scriptFileSchema.safeParse(value);
  if (!read.success) {
    throw new ScriptFileError(
      `${file} is no script: give a list of turns {message, calls: [{tool, params}]}, or {tasks: {<id>: turns}, default: turns}`,
      { cause: read.error },
    );
  }
  const { data } = read;
  return ({ taskId, attempt }) => {
    const attempts = Array.isArray(data) ? data : (data.tasks[taskId] ?? data.default);
    if (attempts === undefined) {
      throw new ScriptFileError(`${file} has no turns for the task ${taskId}, and no default`);
    }
    const turns: readonly ScriptedTurn[] = attempts.every(Array.isArray)
      ? (attempts[attempt % attempts.length] ?? [])
      : attempts.flat();
    return scriptedAgent(turns);
  };
}
