import canonicalize from "canonicalize";
import { z } from "zod";

const pattern = z.string().refine((source) => {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}, "not a regular expression (JavaScript, flag u)");

/** What a value must be like: an argument of a call, a message, a piece of the state. */
export const valueTestSchema = z.union([
  z.strictObject({ equals: z.json() }),
  z.strictObject({ one_of: z.array(z.json()).min(1) }),
  z.strictObject({ contains: z.string().min(1), ignore_case: z.boolean().optional() }),
  z.strictObject({ matches: pattern, ignore_case: z.boolean().optional() }),
  z.strictObject({ lacks: z.string().min(1), ignore_case: z.boolean().optional() }),
  z.strictObject({ exists: z.boolean() }),
]);

export type ValueTest = z.infer<typeof valueTestSchema>;

/** Texts are searched as they are, other values as JSON; a value that is not there contains and matches nothing. */
export function valueHolds(test: ValueTest, value: unknown): boolean {
  if ("exists" in test) return (value !== undefined) === test.exists;
  if (value === undefined) return "lacks" in test;
  if ("equals" in test) return same(test.equals, value);
  if ("one_of" in test) return test.one_of.some((each) => same(each, value));
  const text = typeof value === "string" ? value : (canonicalize(value) ?? "");
  if ("matches" in test) return new RegExp(test.matches, test.ignore_case === true ? "iu" : "u").test(text);
  const [sought, negated] = "contains" in test ? [test.contains, false] : [test.lacks, true];
  const found =
    test.ignore_case === true ? text.toLowerCase().includes(sought.toLowerCase()) : text.includes(sought);
  return found !== negated;
}

/** Tests by argument name; all must hold. */
export const argumentTestsSchema = z.record(z.string(), valueTestSchema);

export function argumentsHold(
  tests: z.infer<typeof argumentTestsSchema> | undefined,
  params: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(tests ?? {}).every(([name, test]) => valueHolds(test, ownValue(params, name)));
}

/** `orders.17.status`, or the keys one by one where they have dots. */
export const pathSchema = z.union([z.string().min(1), z.array(z.string()).min(1)]);

export function pathKeys(path: z.infer<typeof pathSchema>): readonly string[] {
  return typeof path === "string" ? path.split(".") : path;
}

export function valueAt(root: unknown, path: z.infer<typeof pathSchema>): unknown {
  return pathKeys(path).reduce(ownValue, root);
}

/** Own values alone: `constructor` and the like must not reach the prototype. */
function ownValue(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

function same(left: unknown, right: unknown): boolean {
  return canonicalize(left) === canonicalize(right);
}
