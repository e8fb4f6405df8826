import { actionText } from "./action-text.ts";
import { hermesCalls } from "./hermes.ts";
import { llamaCalls } from "./llama.ts";
import { mistralCalls } from "./mistral.ts";
import type { CallParser } from "./parsed-call.ts";
import { qwenXmlCalls } from "./qwen-xml.ts";

/** How a family of models writes calls; `none`: all it writes is text. */
export const TOOL_SYNTAXES = ["hermes", "llama", "mistral", "qwen-xml", "action", "none"] as const;
export type ToolSyntax = (typeof TOOL_SYNTAXES)[number];

const PARSERS: Readonly<Record<ToolSyntax, CallParser>> = {
  hermes: hermesCalls,
  llama: llamaCalls,
  mistral: mistralCalls,
  "qwen-xml": qwenXmlCalls,
  action: actionText,
  none: (text) => (text === "" ? [] : [{ kind: "text", source: text }]),
};

export function callParser(syntax: ToolSyntax): CallParser {
  return PARSERS[syntax];
}

/** By what a chat template writes of calls; undefined where it shows none that is known. */
export function syntaxOf(template: string): ToolSyntax | undefined {
  if (template.includes("<function=")) return "qwen-xml";
  if (template.includes("[TOOL_CALLS]")) return "mistral";
  if (template.includes("<tool_call>")) return "hermes";
  if (template.includes("<|python_tag|>") || /"parameters\\?": /.test(template)) return "llama";
  return template.includes("<action>") ? "action" : undefined;
}
