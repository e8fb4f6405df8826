import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ENGINE_NAMES } from "./engine.ts";

const engineStateSchema = z.object({
  schema: z.literal("gymline.engine-state.v1"),
  name: z.enum(ENGINE_NAMES),
  endpoint: z.url(),
  /** What answers while the engine is well. */
  healthUrl: z.url(),
  /** The process group that runs the engine; absent where somebody else runs it. */
  group: z.object({ pid: z.int().positive(), started: z.string() }).optional(),
});

/** What a later process needs to find an engine again. */
export type EngineState = z.infer<typeof engineStateSchema>;

const fileOf = (home: string) => join(home, "engine.json");

export async function writeEngineState(home: string, state: Omit<EngineState, "schema">): Promise<void> {
  await mkdir(home, { recursive: true });
  const file = fileOf(home);
  const full: EngineState = { schema: "gymline.engine-state.v1", ...state };
  // A reader must never see half of it.
  await writeFile(`${file}.new`, JSON.stringify(full));
  await rename(`${file}.new`, file);
}

/** The state last written in this home. A file that cannot be read counts as none: it says nothing of use. */
export async function readEngineState(home: string): Promise<EngineState | undefined> {
  try {
    return engineStateSchema.parse(JSON.parse(await readFile(fileOf(home), "utf8")));
  } catch {
    return undefined;
  }
}

export async function removeEngineState(home: string): Promise<void> {
  await rm(fileOf(home), { force: true });
}
