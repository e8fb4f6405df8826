import type { Random } from "../../statistics/random.ts";
import type { JsonObject, ToolDefinition } from "../protocol.ts";

type Schema = Readonly<Record<string, unknown>>;

/** Params that a tool's JSON Schema allows, drawn at random; patterns and formats are left to the tool's author. */
export function sampleParams(tool: ToolDefinition, random: Random): JsonObject {
  const value = sample(tool.parameters, random);
  return isSchema(value) ? value : {};
}

/** Params that the schema forbids, each with what is wrong: a required one missing, one of the wrong type. */
export function wrongParams(
  tool: ToolDefinition,
  random: Random,
): readonly { readonly params: JsonObject; readonly wrong: string }[] {
  const good = sampleParams(tool, random);
  const required = namesOf(tool.parameters["required"]);
  const missing = required.map((name) => ({
    params: Object.fromEntries(Object.entries(good).filter(([key]) => key !== name)),
    wrong: `without the required "${name}"`,
  }));
  const mistyped = Object.entries(propertiesOf(tool.parameters)).flatMap(([name, schema]) => {
    const value = otherType(schema);
    return value === undefined
      ? []
      : [{ params: { ...good, [name]: value }, wrong: `with "${name}" of the wrong type` }];
  });
  return [...missing, ...mistyped];
}

function sample(schema: Schema, random: Random): unknown {
  if ("const" in schema) return schema["const"];
  for (const key of ["enum", "examples"]) {
    const values = schema[key];
    if (Array.isArray(values) && values.length > 0) return values[random.int(values.length)];
  }
  for (const key of ["anyOf", "oneOf"]) {
    const choices = schema[key];
    const choice: unknown = Array.isArray(choices) ? choices[random.int(choices.length)] : undefined;
    if (isSchema(choice)) return sample(choice, random);
  }
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  switch (type) {
    case "string":
      return text(schema, random);
    case "integer":
    case "number":
      return number(schema, random);
    case "boolean":
      return random.int(2) === 1;
    case "null":
      return null;
    case "array": {
      const items = isSchema(schema["items"]) ? schema["items"] : {};
      const length = Math.max(limit(schema["minItems"]) ?? 0, random.int(3));
      return Array.from({ length }, () => sample(items, random));
    }
    default: {
      const required = namesOf(schema["required"]);
      const chosen = Object.entries(propertiesOf(schema)).filter(
        ([name]) => required.includes(name) || random.int(2) === 1,
      );
      return Object.fromEntries(chosen.map(([name, inner]) => [name, sample(inner, random)]));
    }
  }
}

const WORDS = ["alpha", "beta", "gamma", "delta", "status"] as const;

function text(schema: Schema, random: Random): string {
  const least = limit(schema["minLength"]) ?? 0;
  const most = limit(schema["maxLength"]) ?? Number.POSITIVE_INFINITY;
  return (WORDS[random.int(WORDS.length)] ?? "").padEnd(least, "x").slice(0, most);
}

function number(schema: Schema, random: Random): number {
  const least = limit(schema["minimum"]) ?? (limit(schema["exclusiveMinimum"]) ?? -1) + 1;
  const most = limit(schema["maximum"]) ?? (limit(schema["exclusiveMaximum"]) ?? least + 101) - 1;
  return least + random.int(Math.max(1, Math.min(1000, Math.floor(most - least) + 1)));
}

/** A value that no schema of that one type takes. */
function otherType(schema: Schema): unknown {
  if (typeof schema["type"] !== "string") return undefined;
  return schema["type"] === "object" || schema["type"] === "array" ? 7 : { unexpected: [] };
}

function limit(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && Math.abs(value) < 1e9 ? value : undefined;
}

function propertiesOf(schema: Schema): Readonly<Record<string, Schema>> {
  const properties = schema["properties"];
  if (!isSchema(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, inner]) => [name, isSchema(inner) ? inner : {}]),
  );
}

function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name): name is string => typeof name === "string") : [];
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
