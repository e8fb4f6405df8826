import { z } from "zod";

/** Names of the environment variables that jobs of rollouts read; the stack sets them. They are few: see SECURITY.md. */
export const rolloutEnvironmentSchema = z.object({
  GYMLINE_DROP_BUCKET: z.string().min(1),
  GYMLINE_STORE_BUCKET: z.string().min(1),
  /** Name or ARN of the secret with the keys of model providers. */
  GYMLINE_MODEL_SECRET: z.string().min(1),
});

/** What the job has room for; absent where nothing is reserved. */
export const rolloutRoomSchema = z.object({
  /** Episodes under way at a time. */
  GYMLINE_ROLLOUT_CONCURRENCY: z.coerce.number().int().positive().optional(),
  /** Of each sandbox. */
  GYMLINE_SANDBOX_VCPUS: z.coerce.number().positive().optional(),
  GYMLINE_SANDBOX_MEMORY_MIB: z.coerce.number().int().positive().optional(),
  /** Address of a model's server beside the job, without a path. */
  GYMLINE_MODEL_SERVER: z.url().optional(),
});
export type RolloutRoom = z.infer<typeof rolloutRoomSchema>;
