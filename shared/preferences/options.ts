import { z } from "zod";

/** How attempts at one task are paired. */
export const pairingOptionsSchema = z.strictObject({
  /**
   * `outside-in`: the best with the worst, the second best with the second worst, and so on; nobody stands in two
   * pairs. `all-pairs`: everybody with everybody.
   */
  strategy: z.enum(["outside-in", "all-pairs"]).default("outside-in"),
  /** Least difference of the rewards. */
  margin: z.number().min(0).default(0.05),
  /** What becomes of equal rewards: nothing, or the one that comes first is chosen (as knowlyr-gym does at margin 0). */
  ties: z.enum(["never", "first-wins"]).default("never"),
  /** At most so many pairs of a task: those that were voted on first, then the widest margins. */
  perTask: z.int().positive().optional(),
  /** Only pairs whose chosen attempt succeeded and whose rejected one failed, by the source's verdict. */
  verified: z.boolean().default(false),
  /** Longer over shorter attempt, in agent steps: pairs beyond it are left out. Not given: no bound. */
  maxLengthRatio: z.number().min(1).optional(),
});
export type PairingOptions = Readonly<z.infer<typeof pairingOptionsSchema>>;
