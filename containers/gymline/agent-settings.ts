import type { ModelAgentSettings } from "../../shared/contracts/rollout-plan.ts";
import { required, type ShapingOptions } from "./collect-settings.ts";
import { numeric, whole } from "./judge-settings.ts";
import { textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

/** What the options say of a model that acts; null: the agent is none. Reads the system prompt. @throws UsageError */
export function modelSettings(options: ShapingOptions): ModelAgentSettings | null {
  const provider = options.agent;
  if (provider !== "anthropic" && provider !== "openai-compatible") return null;
  const { baseUrl, apiKeyVariable, tokens } = options;
  if (provider === "anthropic" && tokens === true) {
    throw new UsageError("--tokens needs a server that gives tokens: --agent openai-compatible with vLLM");
  }
  if (provider !== "anthropic" && options.thinking !== undefined) {
    throw new UsageError("--thinking is for --agent anthropic; other servers are set up for it themselves");
  }
  const thinking = thinkingOf(options.thinking);
  return {
    kind: "model",
    provider,
    model: required("model", options.model),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(apiKeyVariable === undefined ? {} : { apiKeyVariable }),
    ...(thinking === undefined ? {} : { thinking }),
    ...(tokens === undefined ? {} : { tokens }),
    ...actingSettings(options),
  };
}

/** What holds for every model that acts, wherever it runs. Reads the system prompt. @throws UsageError */
export function actingSettings(
  options: ShapingOptions,
): Pick<ModelAgentSettings, "temperature" | "answerTokens" | "contextTokens" | "onOverflow" | "system"> {
  const { system } = options;
  const temperature = numeric("--temperature", options.temperature);
  const answerTokens = whole("--answer-tokens", options.answerTokens);
  const contextTokens = whole("--context", options.context);
  const onOverflow = overflowOf(options.onOverflow);
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(answerTokens === undefined ? {} : { answerTokens }),
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(onOverflow === undefined ? {} : { onOverflow }),
    ...(system === undefined ? {} : { system: textOfFile(system).trim() }),
  };
}

function thinkingOf(text: string | undefined): ModelAgentSettings["thinking"] {
  if (text === undefined || text === "adaptive") return text;
  const budgetTokens = Number(text);
  if (Number.isInteger(budgetTokens) && budgetTokens >= 1024) return { budgetTokens };
  throw new UsageError(`--thinking takes adaptive or a number of tokens from 1024 on, not "${text}"`);
}

function overflowOf(text: string | undefined): ModelAgentSettings["onOverflow"] {
  if (text === undefined || text === "stop" || text === "forget") return text;
  throw new UsageError(`--on-overflow takes stop or forget, not "${text}"`);
}
