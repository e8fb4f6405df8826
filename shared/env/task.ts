import { z } from "zod";
import { taskSchema } from "../trajectory/gymline-extra.ts";

/**
 * A task to act on: a line of a tasks file. The named fields are those of a trajectory's task, so that attempts are
 * grouped by the same `id`; environments read their own fields (`sandbox`, `conversation`) and leave others alone.
 */
export const envTaskSchema = z.looseObject({
  ...taskSchema.shape,
  domain: z.string().optional(),
  language: z.string().optional(),
  difficulty: z.string().optional(),
  success_criteria: z.string().optional(),
});

export type EnvTask = z.infer<typeof envTaskSchema>;
