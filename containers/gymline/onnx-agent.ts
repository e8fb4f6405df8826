import type { Agent } from "../../shared/agents/agent.ts";
import { chatAgent } from "../../shared/agents/chat-agent.ts";
import type { LocalModelSettings } from "../../shared/contracts/rollout-plan.ts";
import { TOOL_SYNTAXES, type ToolSyntax } from "../../shared/inference/tool-calls/syntax.ts";
import { actingSettings } from "./agent-settings.ts";
import type { AgentParts } from "./collect-agent.ts";
import { required, type ShapingOptions } from "./collect-settings.ts";
import { numeric, whole } from "./judge-settings.ts";
import { UsageError } from "./usage-error.ts";

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

/** An option that another agent would take must not be passed over in silence. @throws UsageError */
export function checkOwnOptions(name: string, options: ShapingOptions): void {
  const [others, who] = name === "onnx" ? [REMOTE, "models at a provider"] : [LOCAL, "--agent onnx"];
  for (const [key, flag] of Object.entries(others)) {
    if (options[key as keyof ShapingOptions] !== undefined) throw new UsageError(`${flag} is for ${who}`);
  }
}

/** What the options say of a model of one's own. Reads the system prompt. @throws UsageError */
export function localModelSettings(options: ShapingOptions): LocalModelSettings {
  const topP = numeric("--top-p", options.topP);
  if (topP !== undefined && !(topP > 0 && topP <= 1)) {
    throw new UsageError(`--top-p takes a number above 0 and at most 1, not "${options.topP}"`);
  }
  const topK = whole("--top-k", options.topK);
  const precision = oneOf("--precision", options.precision, ["fp32", "q4"] as const);
  const toolSyntax = oneOf<ToolSyntax>("--tool-syntax", options.toolSyntax, TOOL_SYNTAXES);
  return {
    ...actingSettings(options),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(precision === undefined ? {} : { precision }),
    ...(toolSyntax === undefined ? {} : { toolSyntax }),
  };
}

/** A model of one's own, run here. @throws UsageError, ModelFolderError */
export function onnxAgent(
  options: ShapingOptions,
  parts: Pick<AgentParts, "limits" | "prices">,
): Promise<Agent> {
  return localModelAgent(localModelSettings(options), { ...parts, folder: required("model", options.model) });
}

export interface LocalModelParts extends Pick<AgentParts, "limits" | "prices"> {
  /** Of the exported model. */
  readonly folder: string;
  /** Of the model in trajectories; without it, the folder's. */
  readonly name?: string;
}

/** @throws ModelFolderError */
export async function localModelAgent(
  settings: LocalModelSettings,
  { folder, name, limits, prices }: LocalModelParts,
): Promise<Agent> {
  const { onnxToolChat } = await import("../../shared/adapters/onnx/onnx-tool-chat.ts");
  const { topP, topK, precision, toolSyntax, contextTokens, ...acting } = settings;
  const chat = await onnxToolChat({
    ...{ folder, name, topP, topK, precision, toolSyntax, contextTokens },
    batch: limits.parallel,
  });
  // The model counts its context itself, to the token; the agent would estimate it.
  const { maxCostUsd } = limits;
  return chatAgent(chat, {
    prices: ownPrices(chat.model, prices),
    ...acting,
    ...(maxCostUsd === undefined ? {} : { maxUsd: maxCostUsd }),
  });
}

/** Nobody is paid for the tokens of a model that runs here, whatever it is called; a price that is given counts. */
function ownPrices(model: string, given: AgentParts["prices"]): AgentParts["prices"] {
  const isGiven = Object.keys(given).some((name) => model.startsWith(name));
  return isGiven ? given : { [model]: { input: 0, cacheWrite: 0, cacheRead: 0, output: 0 } };
}

function oneOf<T extends string>(flag: string, text: string | undefined, names: readonly T[]): T | undefined {
  const found = names.find((name) => name === text);
  if (text === undefined || found !== undefined) return found;
  throw new UsageError(`${flag} takes ${names.join(", ")}, not "${text}"`);
}
