/** One tool call as the rules see it: what was called, with what, and what came back. */
export interface RuleCall {
  readonly tool: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly output: string;
  readonly exitCode?: number | null;
}

/**
 * One agent step. `message` is what the agent said in it; it matters only where a step has no call and the
 * domain has a `respond` tool.
 */
export interface RuleStep {
  readonly calls: readonly RuleCall[];
  readonly message?: string | null;
}

/** A call with its place: `index` counts all calls of the trajectory, `step` and `call` say where it stands. */
export interface PlacedCall {
  readonly index: number;
  readonly step: number;
  readonly call: number;
  readonly tool: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly output: string;
  readonly exitCode: number | null;
}

const noParams: Readonly<Record<string, unknown>> = Object.freeze({});

/**
 * Puts the calls of all steps in one row. Logs are untrusted, so whatever is missing or of the wrong type
 * becomes an empty value here; parameters that are no object stand under `input`.
 */
export function placeCalls(
  steps: readonly RuleStep[],
  callsOf: (step: RuleStep) => readonly RuleCall[],
): readonly PlacedCall[] {
  const placed: PlacedCall[] = [];
  steps.forEach((each, step) => {
    const calls: readonly unknown[] = callsOf(each);
    calls.forEach((raw, call) => {
      placed.push(placeCall(raw, { index: placed.length, step, call }));
    });
  });
  return placed;
}

/** One call of a log at its place; `index` counts all calls before it. */
export function placeCall(raw: unknown, at: Pick<PlacedCall, "index" | "step" | "call">): PlacedCall {
  const { tool, params, output, exitCode } = (isObject(raw) ? raw : noParams) as Partial<RuleCall>;
  return {
    index: at.index,
    step: at.step,
    call: at.call,
    tool: typeof tool === "string" ? tool : "",
    params: paramsOf(params),
    output: textOf(output),
    exitCode: typeof exitCode === "number" ? exitCode : null,
  };
}

/** The calls of a step as they are; a step that is no step has none. */
export function ownCalls(step: RuleStep): readonly RuleCall[] {
  const calls: unknown = isObject(step) ? step.calls : null;
  return Array.isArray(calls) ? calls : [];
}

function paramsOf(params: unknown): Readonly<Record<string, unknown>> {
  if (params === null || params === undefined) return noParams;
  return isObject(params) ? params : { input: params };
}

function textOf(output: unknown): string {
  if (typeof output === "string") return output;
  if (output === null || output === undefined) return "";
  try {
    return JSON.stringify(output) ?? "";
  } catch {
    // Circular or otherwise unserialisable: there is no text in it that a later call could use.
    return "";
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own property, or undefined: keys such as `constructor` must not reach the prototype. */
export function param(params: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(params, key) ? params[key] : undefined;
}

/** The first of the named parameters that is a string. */
export function stringParam(
  params: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): string | null {
  for (const key of keys) {
    const value = param(params, key);
    if (typeof value === "string") return value;
  }
  return null;
}
