import { z } from "zod";

/** What the loop's function reads from its environment beside what all functions read. */
export const loopEnvironmentSchema = z.object({
  GYMLINE_LOOP_QUEUE_URL: z.string().min(1),
  /** Batch queue and definition of jobs that train. */
  GYMLINE_TRAINING_QUEUE: z.string().min(1),
  GYMLINE_TRAINING_DEFINITION: z.string().min(1),
  /** Of jobs in which agents act. */
  GYMLINE_ROLLOUT_QUEUE: z.string().min(1),
  GYMLINE_ROLLOUT_DEFINITION: z.string().min(1),
});
export type LoopEnvironment = z.infer<typeof loopEnvironmentSchema>;
