import {
  type HarnessBridge,
  MINI_SWE_AGENT,
  parseHarnessBridge,
} from "../../shared/agents/harness/harness-bridge.ts";
import { envRunner } from "../../shared/collect/env-runner.ts";
import type { EpisodeRunner } from "../../shared/collect/episode-runner.ts";
import { harnessRunner } from "../../shared/collect/harness-runner.ts";
import { sandboxPlace } from "../../shared/collect/sandbox-place.ts";
import type { AgentEnv } from "../../shared/env/protocol.ts";
import type { EnvPorts } from "../../shared/env/registry.ts";
import { builtinFormats } from "../../shared/trajectory/formats/builtin.ts";
import { type AgentOfEpisode, collectAgent } from "./collect-agent.ts";
import { collectEnv } from "./collect-env.ts";
import { type CollectLimits, required, type ShapingOptions } from "./collect-settings.ts";
import { envPorts } from "./env-ports.ts";
import { loadSettings } from "./settings.ts";
import { jsonOf, textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

/** Of a harness where no time is given. */
const HARNESS_MS = 45 * 60_000;

/** What runs the episodes of a run, one of them for each that may be under way. */
export async function collectRunner(
  options: ShapingOptions,
  limits: CollectLimits,
): Promise<() => EpisodeRunner> {
  const ports = await envPorts(options.backend);
  const bridge = bridgeOf(required("agent", options.agent));
  // A harness has its own time; the environment's would run while nobody steps.
  const own = bridge === null ? limits : { ...limits, timeoutMs: undefined };
  const episodeMs = bridge === null ? undefined : harnessTime(limits);
  const makeEnv = await collectEnv(options, { limits: own, ports, episodeMs });
  if (bridge !== null) {
    const model = required("model", options.model);
    return harnesses(bridge, { model, limits, ports, makeEnv, variables: process.env });
  }
  const { config } = loadSettings(options.config === undefined ? {} : { config: options.config });
  const prices = config.judge?.prices ?? {};
  const agent = await collectAgent(options, { limits, prices, variables: process.env });
  return actors(agent, { limits, ports, makeEnv });
}

interface Surroundings {
  readonly limits: CollectLimits;
  readonly ports: Required<EnvPorts>;
  readonly makeEnv: () => AgentEnv;
}

/** Runners in which this agent acts. */
export function actors(agent: AgentOfEpisode, { limits, ports, makeEnv }: Surroundings): () => EpisodeRunner {
  const { maxTurns, maxCostUsd } = limits;
  const { clock } = ports;
  return () =>
    envRunner({
      ...{ makeEnv, agent, clock },
      limits: {
        ...(maxTurns === undefined ? {} : { maxTurns }),
        ...(maxCostUsd === undefined ? {} : { maxCostUsd }),
      },
    });
}

/** Null: the agent is no harness. @throws UsageError, HarnessError */
export function bridgeOf(agent: string): HarnessBridge | null {
  if (agent === "mini-swe-agent") return MINI_SWE_AGENT;
  if (!agent.startsWith("bridge:")) return null;
  const file = agent.slice("bridge:".length);
  return parseHarnessBridge(jsonOf(textOfFile(file), file), file);
}

/** That a harness has for a task; its sandbox lives longer, so that its log can be read and the task tested. */
export function harnessTime({ timeoutMs = HARNESS_MS }: CollectLimits): number {
  return timeoutMs;
}

interface HarnessSurroundings extends Surroundings {
  readonly model: string;
  /** Where keys of providers are. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Runners in which this harness works. @throws UsageError for a format of log that there is not */
export function harnesses(
  bridge: HarnessBridge,
  { model, limits, ports, makeEnv, variables }: HarnessSurroundings,
): () => EpisodeRunner {
  const { sandboxes } = ports;
  const format = builtinFormats.find(({ name }) => name === bridge.format);
  if (format === undefined) {
    const known = builtinFormats.map(({ name }) => name).join(", ");
    throw new UsageError(`${bridge.name}: there is no log format ${bridge.format}; there are ${known}`);
  }
  const { maxCostUsd, maxTurns } = limits;
  const timeoutMs = harnessTime(limits);
  return () =>
    harnessRunner({
      ...{ bridge, format, model, timeoutMs, variables },
      makePlace: () => sandboxPlace(makeEnv(), sandboxes),
      ...(maxCostUsd === undefined ? {} : { maxCostUsd }),
      ...(maxTurns === undefined ? {} : { maxSteps: maxTurns }),
    });
}
