import { rm } from "node:fs/promises";
import { join } from "node:path";
import { clientEnvironment } from "./client-environment.ts";
import type { EngineHealth, RunningEngine } from "./engine.ts";
import { type EngineState, readEngineState, removeEngineState } from "./engine-state.ts";
import { endGroup, leaderRuns } from "./process-group.ts";

/** What stands in an engine's home beside its state. */
export function engineFiles(home: string) {
  return { logFile: join(home, "engine.log"), data: join(home, "data"), temporary: join(home, "tmp") };
}

/** The engine that runs in this home, whoever started it; undefined where none does. */
export async function runningEngine(home: string): Promise<RunningEngine | undefined> {
  const state = await stateOfRunning(home);
  return state && describeEngine(home, state);
}

export async function engineHealth(home: string): Promise<EngineHealth> {
  const state = await stateOfRunning(home);
  if (state === undefined) return "stopped";
  return (await answers(state.healthUrl)) ? "healthy" : "silent";
}

/**
 * Ends all processes of the engine in this home and removes what they stored; its log stays. An engine that somebody
 * else runs is only forgotten.
 */
export async function stopEngine(home: string): Promise<void> {
  const state = await readEngineState(home);
  // Even where the leader is gone, processes that it started may not be.
  if (state?.group !== undefined) await endGroup(state.group);
  const { data, temporary } = engineFiles(home);
  for (const folder of [data, temporary]) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  await removeEngineState(home);
}

export function describeEngine(
  home: string,
  { name, endpoint, group }: Pick<EngineState, "name" | "endpoint" | "group">,
): RunningEngine {
  return {
    name,
    endpoint,
    env: clientEnvironment(endpoint),
    pid: group?.pid,
    logFile: group && engineFiles(home).logFile,
  };
}

/** Does something answer there, and well? */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function stateOfRunning(home: string): Promise<EngineState | undefined> {
  const state = await readEngineState(home);
  if (state?.group !== undefined && !(await leaderRuns(state.group))) return undefined;
  return state;
}
