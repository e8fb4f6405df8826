import { z } from "zod";
import type { Action, EnvTool, JsonObject, ToolDefinition } from "./protocol.ts";

/** Most complaints of one action that are told; more would bury the first. */
const TOLD = 5;

/** The tool as an agent is told of it: its zod schema as JSON Schema (draft 2020-12) of what may be sent. */
export function toolDefinition(tool: EnvTool): ToolDefinition {
  const { $schema: _, ...parameters } = z.toJSONSchema(tool.params, { io: "input" });
  return { name: tool.name, description: tool.description, parameters };
}

/** An action that may be carried out, with params as its schema reads them; or why not, in words for the agent. */
export type CheckedAction<Tool extends EnvTool> =
  | { readonly valid: true; readonly tool: Tool; readonly params: JsonObject }
  | { readonly valid: false; readonly error: string };

/** Checks an action against the tools there are. An agent may send anything, so nothing about it is taken for granted. */
export function checkAction<Tool extends EnvTool>(
  action: Action,
  tools: readonly Tool[],
): CheckedAction<Tool> {
  const { tool: name, params } = action as { readonly tool?: unknown; readonly params?: unknown };
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool === undefined) {
    const named = typeof name === "string" ? `there is no tool "${name.slice(0, 64)}"` : "no tool is named";
    return {
      valid: false,
      error: `${named}; the tools are ${tools.map((each) => each.name).join(", ") || "none"}`,
    };
  }
  const read = tool.params.safeParse(params ?? {});
  if (read.success) return { valid: true, tool, params: read.data };
  const told = read.error.issues.slice(0, TOLD).map(complaint);
  const more = read.error.issues.length - told.length;
  return {
    valid: false,
    error: `${tool.name}: ${told.join("; ")}${more > 0 ? `; and ${more} more` : ""}`,
  };
}

function complaint(issue: z.core.$ZodIssue): string {
  const place = issue.path.map(String).join(".");
  return place === "" ? issue.message : `${place}: ${issue.message}`;
}
