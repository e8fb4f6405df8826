import { parseHarnessBridge } from "../../shared/agents/harness/harness-bridge.ts";
import { scriptedAgents } from "../../shared/agents/script-file.ts";
import type { EpisodeRunner } from "../../shared/collect/episode-runner.ts";
import type { RolloutPlan } from "../../shared/contracts/rollout-plan.ts";
import type { EnvPorts } from "../../shared/env/registry.ts";
import { modelAgent } from "./collect-agent.ts";
import { envMaker } from "./collect-env.ts";
import { actors, bridgeOf, harnesses, harnessTime } from "./collect-runner.ts";
import type { CollectLimits } from "./collect-settings.ts";
import { localModelAgent } from "./onnx-agent.ts";

export interface RolloutSurroundings {
  readonly ports: Required<EnvPorts>;
  /** Where keys of providers are. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly parallel: number;
  /** Where the model of the plan was put, for an agent that needs one. */
  readonly modelFolder: string | null;
}

/**
 * What runs the episodes of a plan.
 * @throws UnknownEnvError, EnvOptionsError, ScriptFileError, HarnessError, ModelSettingsError, AgentSettingsError,
 * ModelFolderError
 */
export async function rolloutRunner(
  plan: RolloutPlan,
  { ports, variables, parallel, modelFolder }: RolloutSurroundings,
): Promise<() => EpisodeRunner> {
  const limits = limitsOfPlan(plan, parallel);
  const { agent, prices } = plan;
  const makeEnv = await envMaker(plan.env, {
    ports,
    // A harness has its own time; the environment's would run while nobody steps.
    ...(agent.kind === "harness"
      ? { timeoutMs: undefined, episodeMs: harnessTime(limits) }
      : { timeoutMs: limits.timeoutMs }),
  });
  const surroundings = { limits, ports, makeEnv };
  switch (agent.kind) {
    case "model":
      return actors(await modelAgent(agent, { limits, prices, variables }), surroundings);
    case "onnx": {
      const { kind: _, model, ...settings } = agent;
      const name = model.slice("models/".length);
      return actors(
        await localModelAgent(settings, { folder: modelFolder ?? model, name, limits, prices }),
        surroundings,
      );
    }
    case "scripted":
      return actors(scriptedAgents(agent.script, "the script of the plan"), surroundings);
    case "harness":
      return harnesses(bridgeOfPlan(agent.bridge), { ...surroundings, model: agent.model, variables });
  }
}

function bridgeOfPlan(bridge: unknown): ReturnType<typeof parseHarnessBridge> {
  const builtin = typeof bridge === "string" ? bridgeOf(bridge) : null;
  return builtin ?? parseHarnessBridge(bridge, "the harness of the plan");
}

function limitsOfPlan({ attempts, limits }: RolloutPlan, parallel: number): CollectLimits {
  return {
    attempts,
    parallel,
    maxTurns: limits.maxSteps,
    timeoutMs: limits.timeoutMs,
    maxCostUsd: limits.maxCostUsd,
    maxRunUsd: limits.maxRunUsd,
    maxFailures: limits.maxFailures,
  };
}
