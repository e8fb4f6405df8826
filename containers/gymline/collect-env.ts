import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { systemTimers } from "../../shared/adapters/local/system-timers.ts";
import { envs } from "../../shared/env/envs.ts";
import type { AgentEnv } from "../../shared/env/protocol.ts";
import type { EnvPorts } from "../../shared/env/registry.ts";
import { Timeout } from "../../shared/env/wrappers/timeout.ts";
import { type CollectLimits, required, type ShapingOptions } from "./collect-settings.ts";
import { jsonOf, textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

const PATIENCE_MS = 30 * 60_000;

/**
 * What makes the environment that `--env` names. One is made at once, so that what is wrong shows before the run begins.
 * @throws UsageError, UnknownEnvError, EnvOptionsError
 */
export async function collectEnv(
  options: ShapingOptions,
  { limits, ports, episodeMs }: Omit<EnvTimes, "timeoutMs"> & { readonly limits: CollectLimits },
): Promise<() => AgentEnv> {
  for (const module of options.envModule ?? []) await registerFrom(module);
  const env = { id: required("env", options.env), options: envOptions(options.envOptions) };
  return envMaker(env, { ports, timeoutMs: limits.timeoutMs, episodeMs });
}

interface EnvTimes {
  readonly ports: EnvPorts;
  /** Of an episode, which is cut off then; undefined: it has its own end. */
  readonly timeoutMs: number | undefined;
  /** Of whatever works in it without stepping it, a harness. */
  readonly episodeMs?: number | undefined;
}

/** Likewise, of the id and its options. @throws UnknownEnvError, EnvOptionsError */
export async function envMaker(
  { id, options }: { readonly id: string; readonly options: Readonly<Record<string, unknown>> },
  { ports, timeoutMs: milliseconds, episodeMs = milliseconds }: EnvTimes,
): Promise<() => AgentEnv> {
  const make = (): AgentEnv => {
    const env = envs.make(id, { ports, options, episodeMs });
    if (milliseconds === undefined) return env;
    // What sets a task up and what tests it have limits of their own; these only end what hangs.
    const patience = { resetMilliseconds: PATIENCE_MS, verdictMilliseconds: PATIENCE_MS };
    return new Timeout(env, { milliseconds, ...patience, clock: systemClock, timers: systemTimers });
  };
  await make().close();
  return make;
}

async function registerFrom(module: string): Promise<void> {
  try {
    // A path, or the name of a package.
    await import(existsSync(module) ? pathToFileURL(resolve(module)).href : module);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`--env-module ${module} cannot be loaded: ${why}`, { cause });
  }
}

/** What `--env-options` says. @throws UsageError */
export function envOptions(given: string | undefined): Readonly<Record<string, unknown>> {
  if (given === undefined) return {};
  const inline = given.trimStart().startsWith("{");
  const value = jsonOf(inline ? given : textOfFile(given), inline ? "--env-options" : given);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new UsageError(`--env-options takes a JSON object, or a file that holds one`);
}
