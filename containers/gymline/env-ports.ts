import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { systemTimers } from "../../shared/adapters/local/system-timers.ts";
import type { EnvPorts } from "../../shared/env/registry.ts";

/** What environments may need of this machine. */
export function envPorts(): EnvPorts {
  return { clock: systemClock, timers: systemTimers };
}
