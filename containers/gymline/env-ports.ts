import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { systemTimers } from "../../shared/adapters/local/system-timers.ts";
import type { EnvPorts } from "../../shared/env/registry.ts";
import { UsageError } from "./usage-error.ts";

/** What environments may need of this machine. Nothing is asked of Docker before the first sandbox. @throws UsageError */
export async function envPorts(backend = "docker"): Promise<EnvPorts> {
  if (backend !== "docker") throw new UsageError(`--backend takes docker, not "${backend}"`);
  const { DockerSandboxes } = await import("../../shared/adapters/docker/docker-sandboxes.ts");
  const { GitRepositories } = await import("../../shared/adapters/local/git-repositories.ts");
  return {
    clock: systemClock,
    timers: systemTimers,
    sandboxes: new DockerSandboxes(),
    repositories: new GitRepositories(),
  };
}
