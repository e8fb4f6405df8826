import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../usage-error.ts";

/** Where the loop stands: what an iteration has done is not done again. */
const stateSchema = z.strictObject({
  schema: z.literal("gymline.online.v1"),
  /** From 0: the one that is under way. */
  iteration: z.int().nonnegative(),
  phase: z.enum(["collect", "take-in", "loop"]),
  /** Iterations in a row without a new champion. */
  idle: z.int().nonnegative(),
  iterations: z.array(
    z.strictObject({
      iteration: z.int(),
      dataset: z.string().nullable(),
      run: z.string().nullable(),
      outcome: z.string(),
      reason: z.string().nullable(),
      champion: z.string().nullable(),
    }),
  ),
});
export type OnlineState = Readonly<z.infer<typeof stateSchema>>;

export function readState(folder: string): OnlineState {
  const path = join(folder, "state.json");
  if (!existsSync(path)) {
    return { schema: "gymline.online.v1", iteration: 0, phase: "collect", idle: 0, iterations: [] };
  }
  const parsed = stateSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (parsed.success) return parsed.data;
  throw new UsageError(`${path} is not what this program wrote: remove the folder to begin anew`);
}

export function writeState(folder: string, state: OnlineState): void {
  const path = join(folder, "state.json");
  writeFileSync(`${path}.tmp`, `${JSON.stringify(state, null, 1)}\n`);
  renameSync(`${path}.tmp`, path);
}
