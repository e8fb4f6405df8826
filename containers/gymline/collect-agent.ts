import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { type ToolChatChoice, toolChatOf } from "../../shared/adapters/models/model-of.ts";
import type { Agent } from "../../shared/agents/agent.ts";
import { chatAgent } from "../../shared/agents/chat-agent.ts";
import { randomAgent } from "../../shared/agents/random.ts";
import { scriptedAgents } from "../../shared/agents/script-file.ts";
import type { EpisodePlan } from "../../shared/collect/plan-episodes.ts";
import type { ModelAgentSettings } from "../../shared/contracts/rollout-plan.ts";
import type { ModelPrice } from "../../shared/judge/config.ts";
import { modelSettings } from "./agent-settings.ts";
import { type CollectLimits, required, type ShapingOptions } from "./collect-settings.ts";
import { checkOwnOptions, onnxAgent } from "./onnx-agent.ts";
import { jsonOf, textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

export type AgentOfEpisode = Agent | ((plan: EpisodePlan) => Agent);

export interface AgentParts {
  readonly limits: Pick<CollectLimits, "parallel" | "maxCostUsd">;
  readonly prices: Readonly<Record<string, ModelPrice>>;
  /** Where keys of providers are. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/**
 * The agent that `--agent` names.
 * @throws UsageError, AgentSettingsError, ModelSettingsError, ModelFolderError, ScriptFileError
 */
export async function collectAgent(options: ShapingOptions, parts: AgentParts): Promise<AgentOfEpisode> {
  const name = required("agent", options.agent);
  checkOwnOptions(name, options);
  const settings = modelSettings(options);
  if (settings !== null) return modelAgent(settings, parts);
  if (name === "onnx") return onnxAgent(options, parts);
  if (name === "random") {
    return randomAgent(options.system === undefined ? {} : { system: textOfFile(options.system).trim() });
  }
  const [kind, file] = [name.slice(0, name.indexOf(":")), name.slice(name.indexOf(":") + 1)];
  if (kind === "scripted") return scripted(file);
  throw new UsageError(
    `there is no agent "${name}": give anthropic, openai-compatible, onnx, random, scripted:<file>, mini-swe-agent or bridge:<file.json>`,
  );
}

/** @throws AgentSettingsError, ModelSettingsError */
export async function modelAgent(
  settings: ModelAgentSettings,
  { limits, prices, variables }: AgentParts,
): Promise<Agent> {
  const { provider, model, baseUrl, apiKeyVariable, thinking, tokens, system } = settings;
  // As many calls at a time as there are episodes.
  const where = { model, baseUrl, apiKeyVariable, maxConcurrency: limits.parallel };
  const choice: ToolChatChoice =
    provider === "anthropic" ? { provider, ...where, thinking } : { provider, ...where, tokenIds: tokens };
  const { temperature, answerTokens, contextTokens, onOverflow } = settings;
  return chatAgent(await toolChatOf(choice, variables), {
    prices,
    ...(limits.maxCostUsd === undefined ? {} : { maxUsd: limits.maxCostUsd }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(answerTokens === undefined ? {} : { answerTokens }),
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(onOverflow === undefined ? {} : { onOverflow }),
    ...(system === undefined ? {} : { system }),
  });
}

const actor = z.custom<AgentOfEpisode>(
  (value) => typeof value === "function" || (typeof value === "object" && value !== null && "begin" in value),
);

/** A JSON file of turns, or a module whose `agent` is one, or a function that gives one for each episode. */
async function scripted(file: string): Promise<AgentOfEpisode> {
  if (/\.jsonc?$/.test(file)) return scriptedAgents(jsonOf(textOfFile(file), file), file);
  const module: unknown = await loaded(file);
  const read = z.object({ agent: actor }).safeParse(module);
  if (read.success) return read.data.agent;
  throw new UsageError(`${file} exports no agent: export one as \`agent\`, or a function of the episode`);
}

async function loaded(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(resolve(file)).href);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${file} cannot be loaded: ${why}`, { cause });
  }
}
