import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { systemTimers } from "../../shared/adapters/local/system-timers.ts";
import type { EnvPorts } from "../../shared/env/registry.ts";
import type { Sandboxes } from "../../shared/ports/sandbox.ts";
import { note } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** What environments may need of this machine. Nothing is asked of an engine before the first sandbox. @throws UsageError */
export async function envPorts(
  backend = "docker",
  options: { readonly ephemeral?: boolean } = {},
): Promise<Required<EnvPorts>> {
  const warning = WARNINGS.get(backend);
  if (warning !== undefined) note(`warning: ${warning}`);
  const { GitRepositories } = await import("../../shared/adapters/local/git-repositories.ts");
  return {
    clock: systemClock,
    timers: systemTimers,
    sandboxes: await sandboxesOf(backend, options),
    repositories: new GitRepositories(),
  };
}

/** Nobody gets less isolation without being told. */
const WARNINGS: ReadonlyMap<string, string> = new Map([
  ["process", "this backend isolates less than Docker does (docs/SANDBOX.md); run trusted programs only"],
  ["process-unisolated", "commands run WITHOUT ISOLATION, with all rights of this user"],
]);

/**
 * `process`: bubblewrap, weaker than containers; `process-unisolated`: nothing is kept from what runs there. What is
 * `ephemeral` keeps its state in the system's temporary folder, for programs that can write nowhere else.
 * @throws UsageError
 */
export async function sandboxesOf(
  backend: string,
  { ephemeral = false }: { readonly ephemeral?: boolean } = {},
): Promise<Sandboxes> {
  const state = ephemeral ? { stateFolder: join(tmpdir(), "gymline-sandboxes") } : {};
  if (backend === "docker") {
    const { DockerSandboxes } = await import("../../shared/adapters/docker/docker-sandboxes.ts");
    return new DockerSandboxes(state);
  }
  if (backend !== "process" && backend !== "process-unisolated") {
    throw new UsageError(`--backend takes docker, process or process-unisolated, not "${backend}"`);
  }
  const { ProcessSandboxes } = await import("../../shared/adapters/process-sandbox/process-sandboxes.ts");
  return new ProcessSandboxes({ ...state, isolation: backend === "process" ? "bubblewrap" : "none" });
}
