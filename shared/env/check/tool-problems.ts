import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { EnvTool, ToolDefinition } from "../protocol.ts";
import { toolDefinition } from "../tool-schema.ts";

/** What providers take as the name of a tool. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** What is wrong with tools as an agent is told of them. */
export function toolProblems(tools: readonly ToolDefinition[]): readonly string[] {
  const names = tools.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return [
    ...(tools.length === 0 ? ["there is no tool, so nothing can be done"] : []),
    ...twice.map((name) => `two tools have the name "${name}"`),
    ...tools.flatMap((tool) => definitionProblems(tool).map((problem) => `${tool.name}: ${problem}`)),
  ];
}

function definitionProblems({ name, description, parameters }: ToolDefinition): readonly string[] {
  const problems: string[] = [];
  if (!NAME.test(name)) problems.push("the name must be 1 to 64 letters, digits, _ or -");
  if (description.trim() === "") problems.push("there is no description");
  if (parameters["type"] !== "object") problems.push('the schema must be that of an object (type: "object")');
  const properties = parameters["properties"] ?? {};
  const required = parameters["required"] ?? [];
  if (!Array.isArray(required)) problems.push("required must be a list");
  else {
    for (const each of required) {
      if (typeof each !== "string" || !Object.hasOwn(Object(properties), each)) {
        problems.push(`required names "${String(each)}", which is no property`);
      }
    }
  }
  try {
    z.fromJSONSchema(parameters as Parameters<typeof z.fromJSONSchema>[0]);
  } catch (error) {
    problems.push(
      `no JSON Schema that can be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(parameters)), parameters)) {
    problems.push("the schema is no plain JSON");
  }
  return problems;
}

/** Where the tools that agents are told of are not those that params are checked against. */
export function schemaDifferences(
  told: readonly ToolDefinition[],
  checked: readonly EnvTool[],
): readonly string[] {
  const own = new Map(checked.map((tool) => [tool.name, toolDefinition(tool)]));
  return [
    ...told.flatMap((tool) => {
      const known = own.get(tool.name);
      if (known === undefined) return [`${tool.name}: there is no such tool to check params against`];
      return isDeepStrictEqual(known.parameters, tool.parameters)
        ? []
        : [`${tool.name}: the JSON Schema is not that of its zod schema`];
    }),
    ...checked
      .filter(({ name }) => !told.some((tool) => tool.name === name))
      .map(({ name }) => `${name}: agents are not told of it`),
  ];
}
