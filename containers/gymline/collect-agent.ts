import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { type ToolChatChoice, toolChatOf } from "../../shared/adapters/models/model-of.ts";
import type { Agent } from "../../shared/agents/agent.ts";
import { type ChatAgentOptions, chatAgent } from "../../shared/agents/chat-agent.ts";
import { randomAgent } from "../../shared/agents/random.ts";
import { scriptedAgents } from "../../shared/agents/script-file.ts";
import type { EpisodePlan } from "../../shared/collect/plan-episodes.ts";
import { TOOL_SYNTAXES, type ToolSyntax } from "../../shared/inference/tool-calls/syntax.ts";
import type { ModelPrice } from "../../shared/judge/config.ts";
import { type CollectLimits, required, type ShapingOptions } from "./collect-settings.ts";
import { numeric, whole } from "./judge-settings.ts";
import { jsonOf, textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

export type AgentOfEpisode = Agent | ((plan: EpisodePlan) => Agent);

interface Parts {
  readonly options: ShapingOptions;
  readonly limits: CollectLimits;
  readonly prices: Readonly<Record<string, ModelPrice>>;
}

/**
 * The agent that `--agent` names.
 * @throws UsageError, AgentSettingsError, ModelSettingsError, ModelFolderError, ScriptFileError
 */
export async function collectAgent(parts: Parts): Promise<AgentOfEpisode> {
  const name = required("agent", parts.options.agent);
  checkOwnOptions(name, parts.options);
  if (name === "anthropic" || name === "openai-compatible") return modelAgent(name, parts);
  if (name === "onnx") return onnxAgent(parts);
  if (name === "random") {
    const { system } = parts.options;
    return randomAgent(system === undefined ? {} : { system: textOfFile(system).trim() });
  }
  const [kind, file] = [name.slice(0, name.indexOf(":")), name.slice(name.indexOf(":") + 1)];
  if (kind === "scripted") return scripted(file);
  throw new UsageError(
    `there is no agent "${name}": give anthropic, openai-compatible, onnx, random, scripted:<file>, mini-swe-agent or bridge:<file.json>`,
  );
}

async function modelAgent(
  provider: "anthropic" | "openai-compatible",
  { options, limits, prices }: Parts,
): Promise<Agent> {
  const { baseUrl, apiKeyVariable, system } = options;
  const where = { model: required("model", options.model), baseUrl, apiKeyVariable };
  // As many calls at a time as there are episodes.
  const calls = { maxConcurrency: limits.parallel };
  const choice: ToolChatChoice =
    provider === "anthropic"
      ? { provider, ...where, ...calls, thinking: thinkingOf(options.thinking) }
      : { provider, ...where, ...calls, tokenIds: options.tokens };
  if (provider === "anthropic" && options.tokens === true) {
    throw new UsageError("--tokens needs a server that gives tokens: --agent openai-compatible with vLLM");
  }
  if (provider !== "anthropic" && options.thinking !== undefined) {
    throw new UsageError("--thinking is for --agent anthropic; other servers are set up for it themselves");
  }
  return chatAgent(await toolChatOf(choice, process.env), {
    prices,
    ...actingOf({ options, limits }, system),
  });
}

/** What holds for every model that acts. */
function actingOf({ options, limits }: Omit<Parts, "prices">, system: string | undefined): ChatAgentOptions {
  const temperature = numeric("--temperature", options.temperature);
  const answerTokens = whole("--answer-tokens", options.answerTokens);
  const contextTokens = whole("--context", options.context);
  const onOverflow = overflowOf(options.onOverflow);
  return {
    ...(limits.maxCostUsd === undefined ? {} : { maxUsd: limits.maxCostUsd }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(answerTokens === undefined ? {} : { answerTokens }),
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(onOverflow === undefined ? {} : { onOverflow }),
    ...(system === undefined ? {} : { system: textOfFile(system).trim() }),
  };
}

const LOCAL = {
  topP: "--top-p",
  topK: "--top-k",
  precision: "--precision",
  toolSyntax: "--tool-syntax",
} as const;
const REMOTE = {
  baseUrl: "--base-url",
  apiKeyVariable: "--api-key-variable",
  thinking: "--thinking",
} as const;

/** An option that another agent would take must not be passed over in silence. */
function checkOwnOptions(name: string, options: ShapingOptions): void {
  const [others, who] = name === "onnx" ? [REMOTE, "models at a provider"] : [LOCAL, "--agent onnx"];
  for (const [key, flag] of Object.entries(others)) {
    if (options[key as keyof ShapingOptions] !== undefined) throw new UsageError(`${flag} is for ${who}`);
  }
}

/** A model of one's own, run here. */
async function onnxAgent({ options, limits, prices }: Parts): Promise<Agent> {
  const folder = required("model", options.model);
  const { onnxToolChat } = await import("../../shared/adapters/onnx/onnx-tool-chat.ts");
  const topP = numeric("--top-p", options.topP);
  if (topP !== undefined && !(topP > 0 && topP <= 1)) {
    throw new UsageError(`--top-p takes a number above 0 and at most 1, not "${options.topP}"`);
  }
  const chat = await onnxToolChat({
    folder,
    topP,
    topK: whole("--top-k", options.topK),
    precision: oneOf("--precision", options.precision, ["fp32", "q4"] as const),
    toolSyntax: oneOf<ToolSyntax>("--tool-syntax", options.toolSyntax, TOOL_SYNTAXES),
    contextTokens: whole("--context", options.context),
    batch: limits.parallel,
  });
  // The model counts its context itself, to the token; the agent would estimate it.
  const { context: _, ...own } = options;
  return chatAgent(chat, { prices, ...actingOf({ options: own, limits }, options.system) });
}

function oneOf<T extends string>(flag: string, text: string | undefined, names: readonly T[]): T | undefined {
  const found = names.find((name) => name === text);
  if (text === undefined || found !== undefined) return found;
  throw new UsageError(`${flag} takes ${names.join(", ")}, not "${text}"`);
}

function thinkingOf(text: string | undefined): "adaptive" | { readonly budgetTokens: number } | undefined {
  if (text === undefined || text === "adaptive") return text;
  const budgetTokens = Number(text);
  if (Number.isInteger(budgetTokens) && budgetTokens >= 1024) return { budgetTokens };
  throw new UsageError(`--thinking takes adaptive or a number of tokens from 1024 on, not "${text}"`);
}

function overflowOf(text: string | undefined): "stop" | "forget" | undefined {
  if (text === undefined || text === "stop" || text === "forget") return text;
  throw new UsageError(`--on-overflow takes stop or forget, not "${text}"`);
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
