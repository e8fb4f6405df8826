/** Names of the local AWS engines. */
export const ENGINE_NAMES = ["ministack", "localstack", "aws-endpoint"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** A local AWS that answers. */
export interface RunningEngine {
  readonly name: EngineName;
  /** One URL for all services, without a slash at the end. */
  readonly endpoint: string;
  /** The variables that make an AWS SDK or CDK talk to the endpoint, with credentials that open nothing else. */
  readonly env: Readonly<Record<string, string>>;
  /** The process that leads the engine's group; undefined where somebody else runs the engine. */
  readonly pid: number | undefined;
  /** Where the engine writes its own log; undefined where somebody else runs the engine. */
  readonly logFile: string | undefined;
}

/** `stopped`: nothing runs. `silent`: a process is there but does not answer. `healthy`: it answers. */
export type EngineHealth = "stopped" | "silent" | "healthy";

/**
 * A local AWS whose processes and files stand under one folder, its home. Whoever makes an engine with the same home,
 * in whatever process, can ask after it and stop it.
 */
export interface Engine {
  readonly name: EngineName;
  /**
   * Installs what is missing, starts the engine and waits until it answers.
   * @throws EngineUnavailableError where this machine lacks something
   * @throws EngineStartError where it does not come up
   * @throws EngineRunningError where one runs in this home already
   */
  start(): Promise<RunningEngine>;
  /** The engine that runs in this home, if one does. */
  running(): Promise<RunningEngine | undefined>;
  health(): Promise<EngineHealth>;
  /** Ends all processes of the engine and removes their data; does nothing where nothing runs. */
  stop(): Promise<void>;
}

/** This machine lacks what the engine needs; the message says what to install. */
export class EngineUnavailableError extends Error {
  override readonly name = "EngineUnavailableError";
  constructor(engine: EngineName, fault: { readonly reason: string; readonly remedy: string }) {
    super(`${engine} cannot run here: ${fault.reason}. ${fault.remedy}`);
  }
}

/** The engine was started and did not come up. */
export class EngineStartError extends Error {
  override readonly name = "EngineStartError";
  constructor(
    engine: EngineName,
    fault: { readonly reason: string; readonly remedy: string },
    options?: ErrorOptions,
  ) {
    super(`${engine} did not start: ${fault.reason}. ${fault.remedy}`, options);
  }
}

/** Another engine runs in this home. */
export class EngineRunningError extends Error {
  override readonly name = "EngineRunningError";
  constructor(engine: RunningEngine) {
    super(`${engine.name} runs already, at ${engine.endpoint}; stop it first (npm run local -- --stop)`);
  }
}
