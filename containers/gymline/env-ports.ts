import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { systemTimers } from "../../shared/adapters/local/system-timers.ts";
import type { EnvPorts } from "../../shared/env/registry.ts";
import { type EngineOptions, engineOf } from "./sandbox-options.ts";

const DOCKER = { backend: "docker", isolation: true } as const;

/** What environments may need of this machine. Nothing is asked of an engine before the first sandbox. @throws UsageError */
export async function envPorts(engine: EngineOptions = DOCKER): Promise<EnvPorts> {
  const { GitRepositories } = await import("../../shared/adapters/local/git-repositories.ts");
  return {
    clock: systemClock,
    timers: systemTimers,
    sandboxes: await engineOf(engine),
    repositories: new GitRepositories(),
  };
}
