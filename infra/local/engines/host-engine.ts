import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clientEnvironment } from "./client-environment.ts";
import {
  type Engine,
  type EngineHealth,
  type EngineName,
  EngineRunningError,
  EngineStartError,
  type RunningEngine,
} from "./engine.ts";
import { readEngineState, removeEngineState, writeEngineState } from "./engine-state.ts";
import { freePort, portIsFree } from "./ports.ts";
import { endGroup, type Launch, leaderRuns, type ProcessGroup, startGroup } from "./process-group.ts";

/** Where one run of an engine lives. */
export interface EnginePlace {
  readonly port: number;
  /** For what the engine stores; removed when it stops. */
  readonly data: string;
  /** The engine's folder for temporary files; removed when it stops. */
  readonly temporary: string;
}

export interface HostEnginePlan {
  readonly name: EngineName;
  /** The engine's folder: state file, log, data. */
  readonly home: string;
  /** Where the engine listens; a free port where undefined. */
  readonly port: number | undefined;
  readonly healthPath: string;
  readonly startWithinMs: number;
  /** Installs what is missing; the function it returns says how to start the engine at a place. */
  prepare(): Promise<(place: EnginePlace) => Omit<Launch, "cwd" | "logFile">>;
}

/** An engine that runs as a process on this machine. */
export function createHostEngine(plan: HostEnginePlan): Engine {
  const { name, home } = plan;
  const logFile = join(home, "engine.log");
  const data = join(home, "data");
  const temporary = join(home, "tmp");

  const describe = (endpoint: string, group: ProcessGroup): RunningEngine => ({
    name,
    endpoint,
    env: clientEnvironment(endpoint),
    pid: group.pid,
    logFile,
  });

  async function found(): Promise<{ endpoint: string; group: ProcessGroup } | undefined> {
    const state = await readEngineState(home);
    if (state?.group === undefined || !(await leaderRuns(state.group))) return undefined;
    return { endpoint: state.endpoint, group: state.group };
  }

  async function running(): Promise<RunningEngine | undefined> {
    const state = await found();
    return state && describe(state.endpoint, state.group);
  }

  async function stop(): Promise<void> {
    const state = await readEngineState(home);
    // Even where the leader is gone, processes that it started may not be.
    if (state?.group !== undefined) await endGroup(state.group);
    await clearFolders();
    await removeEngineState(home);
  }

  async function clearFolders(): Promise<void> {
    for (const folder of [data, temporary]) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async function start(): Promise<RunningEngine> {
    const before = await running();
    if (before !== undefined) throw new EngineRunningError(before);
    if (plan.port !== undefined && !(await portIsFree(plan.port))) {
      throw new EngineStartError(name, {
        reason: `something listens on port ${plan.port} already`,
        remedy: "Give another with --port, or none for a free one.",
      });
    }
    await stop(); // What a killed run left behind.
    const launchAt = await plan.prepare();
    await mkdir(data, { recursive: true });
    await mkdir(temporary, { recursive: true });
    const port = plan.port ?? (await freePort());
    const endpoint = `http://127.0.0.1:${port}`;
    const group = await startGroup({ ...launchAt({ port, data, temporary }), cwd: home, logFile });
    await writeEngineState(home, { schema: "gymline.engine-state.v1", name, endpoint, group });
    try {
      await waitUntilHealthy(endpoint, group);
    } catch (error) {
      await stop();
      throw error;
    }
    return describe(endpoint, group);
  }

  async function waitUntilHealthy(endpoint: string, group: ProcessGroup): Promise<void> {
    const deadline = performance.now() + plan.startWithinMs;
    while (!(await answers(endpoint))) {
      const fault = !(await leaderRuns(group))
        ? "its process ended"
        : performance.now() > deadline
          ? `it did not answer within ${plan.startWithinMs / 1000} s`
          : undefined;
      if (fault !== undefined) {
        throw new EngineStartError(name, {
          reason: fault,
          remedy: `The end of its log (${logFile}):\n${await endOfLog(logFile)}`,
        });
      }
      await sleep(50);
    }
  }

  async function answers(endpoint: string): Promise<boolean> {
    try {
      const response = await fetch(`${endpoint}${plan.healthPath}`, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }

  async function health(): Promise<EngineHealth> {
    const state = await found();
    if (state === undefined) return "stopped";
    return (await answers(state.endpoint)) ? "healthy" : "silent";
  }

  return { name, start, running, health, stop };
}

async function endOfLog(file: string): Promise<string> {
  const lines = (await readFile(file, "utf8").catch(() => "")).trimEnd().split("\n");
  return lines.slice(-20).join("\n");
}
