import { type Engine, EngineRunningError, EngineUnavailableError, type RunningEngine } from "./engine.ts";
import { answers, describeEngine, engineHealth, runningEngine, stopEngine } from "./engine-home.ts";
import { writeEngineState } from "./engine-state.ts";

export interface AwsEndpointOptions {
  /** Where the engine answers, such as http://127.0.0.1:4566. */
  readonly url: string;
  /** See `Engine`. */
  readonly home: string;
}

/**
 * An engine that somebody else runs, such as LocalStack's Docker image. It is never started or ended from here, and
 * what was deployed to it stays.
 */
export function awsEndpoint({ url, home }: AwsEndpointOptions): Engine {
  const name = "aws-endpoint";
  return {
    name,
    running: () => runningEngine(home),
    health: () => engineHealth(home),
    stop: () => stopEngine(home),
    start: async (): Promise<RunningEngine> => {
      const before = await runningEngine(home);
      if (before !== undefined) throw new EngineRunningError(before);
      const endpoint = url.replace(/\/+$/, "");
      const state = { name, endpoint, healthUrl: await findHealthUrl(endpoint) } as const;
      await writeEngineState(home, state);
      return describeEngine(home, state);
    },
  };
}

/** Engines answer at a path of their own; moto and others only at the root. */
async function findHealthUrl(endpoint: string): Promise<string> {
  const fault = (reason: string, remedy: string) =>
    new EngineUnavailableError("aws-endpoint", { reason, remedy });
  if (!URL.canParse(endpoint))
    throw fault(`"${endpoint}" is no URL`, "Give one such as http://127.0.0.1:4566.");
  for (const path of ["/_localstack/health", "/"]) {
    const url = `${endpoint}${path}`;
    if (await answers(url)) return url;
  }
  throw fault(`nothing answers at ${endpoint}`, "Start the engine, or mend the URL.");
}
