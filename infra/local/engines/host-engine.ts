import { mkdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Engine,
  type EngineName,
  EngineRunningError,
  EngineStartError,
  type RunningEngine,
} from "./engine.ts";
import {
  answers,
  describeEngine,
  engineFiles,
  engineHealth,
  runningEngine,
  stopEngine,
} from "./engine-home.ts";
import { type EngineState, writeEngineState } from "./engine-state.ts";
import { freePort, portIsFree } from "./ports.ts";
import { type Launch, leaderRuns, startGroup } from "./process-group.ts";

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
  return {
    name,
    start: () => start(plan),
    running: () => runningEngine(home),
    health: () => engineHealth(home),
    stop: () => stopEngine(home),
  };
}

async function start(plan: HostEnginePlan): Promise<RunningEngine> {
  const { name, home } = plan;
  const before = await runningEngine(home);
  if (before !== undefined) throw new EngineRunningError(before);
  if (plan.port !== undefined && !(await portIsFree(plan.port))) {
    throw new EngineStartError(name, {
      reason: `something listens on port ${plan.port} already`,
      remedy: "Give another with --port, or none for a free one.",
    });
  }
  await stopEngine(home); // What a killed run left behind.
  const launchAt = await plan.prepare();
  const { data, temporary, logFile } = engineFiles(home);
  await mkdir(data, { recursive: true });
  await mkdir(temporary, { recursive: true });
  const port = plan.port ?? (await freePort());
  const endpoint = `http://127.0.0.1:${port}`;
  const group = await startGroup({ ...launchAt({ port, data, temporary }), cwd: home, logFile });
  const state = { name, endpoint, healthUrl: `${endpoint}${plan.healthPath}`, group };
  await writeEngineState(home, state);
  try {
    await waitUntilHealthy(plan, state);
  } catch (error) {
    await stopEngine(home);
    throw error;
  }
  return describeEngine(home, state);
}

async function waitUntilHealthy(
  { name, home, startWithinMs }: HostEnginePlan,
  { healthUrl, group }: Pick<Required<EngineState>, "healthUrl" | "group">,
): Promise<void> {
  const deadline = performance.now() + startWithinMs;
  while (!(await answers(healthUrl))) {
    const ended = group !== undefined && !(await leaderRuns(group));
    if (ended || performance.now() > deadline) {
      const { logFile } = engineFiles(home);
      throw new EngineStartError(name, {
        reason: ended ? "its process ended" : `it did not answer within ${startWithinMs / 1000} s`,
        remedy: `The end of its log (${logFile}):\n${await endOfLog(logFile)}`,
      });
    }
    await sleep(50);
  }
}

async function endOfLog(file: string): Promise<string> {
  const lines = (await readFile(file, "utf8").catch(() => "")).trimEnd().split("\n");
  return lines.slice(-20).join("\n");
}
