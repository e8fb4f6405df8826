import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, type TestContext } from "vitest";
import { LOCAL_CREDENTIALS, LOCAL_REGION } from "../../infra/local/engines/client-environment.ts";
import { type Engine, EngineUnavailableError, type RunningEngine } from "../../infra/local/engines/engine.ts";
import { localstack } from "../../infra/local/engines/localstack.ts";
import { type LocalEngineOptions, ministack } from "../../infra/local/engines/ministack.ts";
import { endWithMe } from "./end-with-me.ts";

/** Where tests and `npm run local` keep what they install. */
export const engineCache = resolve(import.meta.dirname, "../../.cache/engines");

/** The engines that tests can start. */
export type TestEngineName = "ministack" | "localstack";

const ENGINES: Readonly<Record<TestEngineName, (options: LocalEngineOptions) => Engine>> = {
  ministack,
  localstack,
};

/** Skips a test with the reason where this machine lacks what an engine needs; under `CI` it fails instead. */
export async function skipWithout(name: TestEngineName, context: TestContext): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), `gymline-${name}-`));
  const engine = ENGINES[name]({ cache: engineCache, home });
  try {
    await engine.start();
  } catch (error) {
    if (!(error instanceof EngineUnavailableError) || process.env["CI"]) throw error;
    context.skip(error.message);
  } finally {
    await engine.stop();
    await rm(home, { recursive: true, force: true });
  }
}

/** What tests read of an engine; each property throws until the engine answers. */
export interface TestEngine {
  readonly endpoint: string;
  /** For the constructor of any client of the AWS SDK: `new SQSClient(engine.clientConfig)`. */
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    /** S3: bucket names do not resolve as host names on loopback. */
    readonly forcePathStyle: true;
  };
  readonly running: RunningEngine;
  /** The folder of the engine's state, log and data. */
  readonly home: string;
}

/**
 * Starts an engine for this test file, or for the `describe` it is called in, and stops it afterwards.
 * Where this machine lacks what the engine needs, the tests are skipped with the reason; under `CI` they fail.
 * @param prepare runs once when the engine answers, and not at all where it is missing: use it for tables and queues
 *   in place of a `beforeAll`, which would fail there
 */
export function useEngine(name: TestEngineName, prepare?: (engine: TestEngine) => Promise<void>): TestEngine {
  let running: RunningEngine | undefined;
  let absent: string | undefined;
  let engine: Engine | undefined;
  let home: string | undefined;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), `gymline-${name}-`));
    endWithMe(home);
    engine = ENGINES[name]({ cache: engineCache, home });
    try {
      running = await engine.start();
    } catch (error) {
      if (!(error instanceof EngineUnavailableError) || process.env["CI"]) throw error;
      absent = error.message;
      return;
    }
    await prepare?.(testEngine);
  }, 600_000);

  beforeEach((context) => {
    if (absent !== undefined) context.skip(absent);
  });

  afterAll(async () => {
    await engine?.stop();
    if (home !== undefined) await rm(home, { recursive: true, force: true });
  });

  const started = () => {
    if (running === undefined) throw new Error(`${name} is not started: read this in a test or in beforeAll`);
    return running;
  };
  const testEngine: TestEngine = {
    get running() {
      return started();
    },
    get home() {
      if (home === undefined) throw new Error(`${name} has no home yet`);
      return home;
    },
    get endpoint() {
      return started().endpoint;
    },
    get clientConfig() {
      return {
        endpoint: started().endpoint,
        region: LOCAL_REGION,
        credentials: LOCAL_CREDENTIALS,
        forcePathStyle: true,
      } as const;
    },
  };
  return testEngine;
}
