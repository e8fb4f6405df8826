import { MINI_SWE_AGENT, parseHarnessBridge } from "../../shared/agents/harness/harness-bridge.ts";
import { envRunner } from "../../shared/collect/env-runner.ts";
import type { EpisodeRunner } from "../../shared/collect/episode-runner.ts";
import { harnessRunner } from "../../shared/collect/harness-runner.ts";
import { sandboxPlace } from "../../shared/collect/sandbox-place.ts";
import type { AgentEnv } from "../../shared/env/protocol.ts";
import type { EnvPorts } from "../../shared/env/registry.ts";
import { builtinFormats } from "../../shared/trajectory/formats/builtin.ts";
import { collectAgent } from "./collect-agent.ts";
import { collectEnv } from "./collect-env.ts";
import { type CollectLimits, required, type ShapingOptions } from "./collect-settings.ts";
import { envPorts } from "./env-ports.ts";
import { loadSettings } from "./settings.ts";
import { jsonOf, textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

/** Below the hour that a sandbox lives: its log has to be read, and the task tested. */
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
  const makeEnv = await collectEnv(options, { limits: own, ports });
  if (bridge !== null) return harnesses(bridge, { options, limits, ports, makeEnv });
  const { config } = loadSettings(options.config === undefined ? {} : { config: options.config });
  const agent = await collectAgent({ options, limits, prices: config.judge?.prices ?? {} });
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
function bridgeOf(agent: string): typeof MINI_SWE_AGENT | null {
  if (agent === "mini-swe-agent") return MINI_SWE_AGENT;
  if (!agent.startsWith("bridge:")) return null;
  const file = agent.slice("bridge:".length);
  return parseHarnessBridge(jsonOf(textOfFile(file), file), file);
}

function harnesses(
  bridge: typeof MINI_SWE_AGENT,
  parts: {
    readonly options: ShapingOptions;
    readonly limits: CollectLimits;
    readonly ports: Required<EnvPorts>;
    readonly makeEnv: () => AgentEnv;
  },
): () => EpisodeRunner {
  const { options, limits, ports, makeEnv } = parts;
  const { sandboxes } = ports;
  const format = builtinFormats.find(({ name }) => name === bridge.format);
  if (format === undefined) {
    const known = builtinFormats.map(({ name }) => name).join(", ");
    throw new UsageError(`${bridge.name}: there is no log format ${bridge.format}; there are ${known}`);
  }
  const model = required("model", options.model);
  const { timeoutMs = HARNESS_MS, maxCostUsd, maxTurns } = limits;
  return () =>
    harnessRunner({
      ...{ bridge, format, model, timeoutMs, variables: process.env },
      makePlace: () => sandboxPlace(makeEnv(), sandboxes),
      ...(maxCostUsd === undefined ? {} : { maxCostUsd }),
      ...(maxTurns === undefined ? {} : { maxSteps: maxTurns }),
    });
}
