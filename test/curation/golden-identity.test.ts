import { describe, expect, it } from "vitest";
import { traceOf } from "../../shared/curation/trace.ts";
import { contentIdentity } from "../../shared/trajectory/identity.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { type GoldenCase, golden, hasGolden, whyGolden } from "../reward/golden.ts";

interface GoldenStep {
  readonly tool?: string;
  readonly params?: unknown;
  readonly output?: string;
  readonly thought?: string;
}

type Case = GoldenCase<{ readonly steps?: readonly GoldenStep[] }, { readonly hash?: string }>;

/** Those the reference reads as its own shape, and whose arguments JSON can carry as an object. */
const cases = golden<Case>("cas.json").filter(({ name, input }) => {
  const steps = input.steps ?? [];
  const read = steps.every(
    ({ tool, params, output }) => typeof tool === "string" && typeof output === "string" && isRecord(params),
  );
  return read && steps.length > 0 && !/nan_inf|lone_surrogate|int_vs_float_float/.test(name);
});

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function trajectoryOf(steps: readonly GoldenStep[], thought?: string): Pick<Trajectory, "steps"> {
  return {
    steps: steps.map(({ tool = "", params, output = "" }, index) => ({
      step_id: index + 1,
      source: "agent",
      message: "",
      ...(thought === undefined ? {} : { reasoning_content: thought }),
      tool_calls: [
        { tool_call_id: `c${index}`, function_name: tool, arguments: isRecord(params) ? { ...params } : {} },
      ],
      observation: { results: [{ source_call_id: `c${index}`, content: output }] },
    })),
  };
}

/** Keys in the other order, at every depth. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, each]) => [key, turned(each)]),
  );
}

function contentId(trajectory: Pick<Trajectory, "steps">): string {
  return contentIdentity(trajectory, "task", { prefixes: false }).contentId;
}

describe.skipIf(!hasGolden)(`identity as the reference has it${whyGolden}`, () => {
  it("tells apart what the reference tells apart", () => {
    expect(cases.length).toBeGreaterThan(8);
    const ids = new Map(
      cases.map(({ input, expected }) => [expected.hash, contentId(trajectoryOf(input.steps ?? []))]),
    );
    expect(new Set(ids.values()).size).toBe(ids.size);
  });

  it.each(cases)("counts neither thoughts nor the order of keys: $name", ({ input }) => {
    const steps = input.steps ?? [];
    const one = trajectoryOf(steps);
    const other = trajectoryOf(
      steps.map((step) => ({ ...step, params: turned(step.params) })),
      "Let me think.",
    );
    expect(contentId(other)).toBe(contentId(one));
    expect(traceOf(other)).toEqual(traceOf(one));
  });
});
