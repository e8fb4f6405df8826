import { z } from "zod";

/** A value of a template. */
export type Json = z.output<typeof jsonSchema>;

export const jsonSchema = z.json();

/**
 * What stands behind a name: `Name` for `Ref`, `Name.Attribute` for `Fn::GetAtt`, an export's name for
 * `Fn::ImportValue`; undefined where nobody knows.
 */
export type Lookup = (name: string) => Json | undefined;

/** A value that needs what nobody gave, or a function that the runner does not know. */
export class UnresolvedValueError extends Error {
  override readonly name = "UnresolvedValueError";
}

interface Context {
  readonly lookup: Lookup;
  /** The place in the template, for messages: `TrainDefinition.ContainerProperties.Image`. */
  readonly path: string;
}

type Intrinsic = (argument: Json, context: Context) => Json;

/** Stands for `AWS::NoValue`: whatever holds it loses it. */
const NO_VALUE: unique symbol = Symbol("AWS::NoValue");

const INTRINSICS: ReadonlyMap<string, Intrinsic> = new Map<string, Intrinsic>([
  ["Ref", (argument, context) => known(text(argument, context), context)],
  ["Fn::GetAtt", getAttribute],
  ["Fn::ImportValue", (argument, context) => known(text(resolve(argument, context), context), context)],
  ["Fn::Sub", substitute],
  ["Fn::Join", join],
  ["Fn::Select", select],
  ["Fn::Split", split],
]);

/**
 * A template's value with its functions carried out.
 * @throws UnresolvedValueError that names the place and what is missing
 */
export function resolveIntrinsics(value: Json, context: Context): Json | undefined {
  const resolved = resolveOrDrop(value, context);
  return resolved === NO_VALUE ? undefined : resolved;
}

function resolve(value: Json, context: Context): Json {
  const resolved = resolveOrDrop(value, context);
  if (resolved === NO_VALUE)
    throw new UnresolvedValueError(`${context.path}: AWS::NoValue cannot stand here`);
  return resolved;
}

function resolveOrDrop(value: Json, context: Context): Json | typeof NO_VALUE {
  if (Array.isArray(value)) {
    return value
      .map((item, index) => resolveOrDrop(item, inside(context, index)))
      .filter((item) => item !== NO_VALUE);
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    const [name, argument] = only;
    if (name === "Ref" && argument === "AWS::NoValue") return NO_VALUE;
    const intrinsic = INTRINSICS.get(name);
    if (intrinsic !== undefined) return intrinsic(argument, context);
    if (name.startsWith("Fn::")) {
      throw new UnresolvedValueError(`${context.path}: ${name} is not supported; write the value itself`);
    }
  }
  const resolved = entries.map(([key, item]) => [key, resolveOrDrop(item, inside(context, key))] as const);
  return Object.fromEntries(resolved.filter((entry): entry is [string, Json] => entry[1] !== NO_VALUE));
}

function getAttribute(argument: Json, context: Context): Json {
  const parts = typeof argument === "string" ? [argument] : list(argument, context);
  return known(parts.map((part) => text(resolve(part, context), context)).join("."), context);
}

function substitute(argument: Json, context: Context): Json {
  const [template, given] = typeof argument === "string" ? [argument, {}] : list(argument, context);
  const variables = new Map(
    Object.entries(z.record(z.string(), jsonSchema).catch({}).parse(given)).map(([name, value]) => [
      name,
      text(resolve(value, inside(context, name)), context),
    ]),
  );
  return text(template, context).replaceAll(/\$\{(!?)([^}]*)\}/g, (_, literal: string, name: string) =>
    literal === "" ? (variables.get(name) ?? text(known(name, context), context)) : `\${${name}}`,
  );
}

function join(argument: Json, context: Context): Json {
  const [delimiter, items] = list(argument, context);
  return list(resolve(items ?? null, context), context)
    .map((item) => text(item, context))
    .join(text(delimiter, context));
}

function select(argument: Json, context: Context): Json {
  const [index, items] = list(argument, context);
  const chosen = list(resolve(items ?? null, context), context)[Number(text(index, context))];
  if (chosen === undefined) throw new UnresolvedValueError(`${context.path}: Fn::Select finds no such item`);
  return chosen;
}

function split(argument: Json, context: Context): Json {
  const [delimiter, source] = list(argument, context);
  return text(resolve(source ?? null, context), context).split(text(delimiter, context));
}

function known(name: string, { lookup, path }: Context): Json {
  const value = lookup(name);
  if (value !== undefined) return value;
  throw new UnresolvedValueError(`${path}: nobody knows ${name}; put "${name}" into the values`);
}

function text(value: Json | undefined, { path }: Context): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new UnresolvedValueError(`${path}: a function of the template needs a text here`);
}

function list(value: Json, { path }: Context): readonly Json[] {
  if (Array.isArray(value)) return value;
  throw new UnresolvedValueError(`${path}: a function of the template needs a list here`);
}

function inside(context: Context, key: string | number): Context {
  return { ...context, path: `${context.path}.${key}` };
}
