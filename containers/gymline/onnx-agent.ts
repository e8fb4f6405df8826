import type { Agent } from "../../shared/agents/agent.ts";
import { chatAgent } from "../../shared/agents/chat-agent.ts";
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

/** A model of one's own, run here. @throws UsageError, ModelFolderError */
export async function onnxAgent(options: ShapingOptions, { limits, prices }: AgentParts): Promise<Agent> {
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
  const { contextTokens: _, ...acting } = actingSettings(options);
  const { maxCostUsd } = limits;
  return chatAgent(chat, { prices, ...acting, ...(maxCostUsd === undefined ? {} : { maxUsd: maxCostUsd }) });
}

function oneOf<T extends string>(flag: string, text: string | undefined, names: readonly T[]): T | undefined {
  const found = names.find((name) => name === text);
  if (text === undefined || found !== undefined) return found;
  throw new UsageError(`${flag} takes ${names.join(", ")}, not "${text}"`);
}
