import fc from "fast-check";
import { criticRunOf } from "../../shared/critic/critic-run.ts";
import type { CriticRun } from "../../shared/critic/critic-step.ts";
import { getDomainProfile, listDomainProfiles } from "../../shared/domains/builtin.ts";
import { factSteps } from "../../shared/reward/fact-steps.ts";
import { trajectoryFacts } from "../../shared/reward/trajectory-facts.ts";
import type { Step } from "../../shared/trajectory/schema.ts";

/** A call with what came back; null where nothing did. */
export type Made = readonly [tool: string, params: Readonly<Record<string, unknown>>, output: string | null];

export function agentStep(message: string, ...calls: readonly Made[]): Step {
  return {
    step_id: 1,
    source: "agent",
    message,
    tool_calls: calls.map(([tool, params], index) => ({
      tool_call_id: `c${index}`,
      function_name: tool,
      arguments: { ...params },
    })),
    observation: {
      results: calls.flatMap(([, , output], index) =>
        output === null ? [] : [{ source_call_id: `c${index}`, content: output }],
      ),
    },
  };
}

export function userStep(message: string): Step {
  return { step_id: 1, source: "user", message };
}

export function runOf(steps: readonly Step[], domain = "coding"): CriticRun {
  const numbered = steps.map((step, index) => ({ ...step, step_id: index + 1 }));
  const facts = trajectoryFacts(factSteps({ steps: numbered }), getDomainProfile(domain));
  return criticRunOf({ steps: numbered }, facts);
}

const text = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.constantFrom(
    "",
    "Traceback (most recent call last)\nValueError: x",
    "3 passed, 1 failed in 0.1s",
    "5 passed in 2s",
    "```python\nx = 1\n```",
    "Error: not found",
    "a.py b.py test_a.py",
  ),
);
const params = fc.oneof(
  fc.record({
    command: fc.constantFrom("ls", "cat a.py", "pytest -q", "python a.py", "rm b.py", "sed -i 's/a/b/' a.py"),
  }),
  fc.record({ path: fc.constantFrom("a.py", "/w/a.py", "b.py"), old_str: text, new_str: text }),
  fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
);
const tool = fc.oneof(
  fc.constantFrom(
    "bash",
    "str_replace_editor",
    "read_file",
    "submit",
    "think",
    "get_user",
    "cancel_order",
    "",
  ),
  fc.string({ maxLength: 10 }),
);
const made: fc.Arbitrary<Made> = fc.tuple(tool, params, fc.option(text, { nil: null }));

/** Steps of a user or an agent, as odd as a log may have them. */
export const anySteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(text, fc.array(made, { maxLength: 3 })).map(([m, calls]) => agentStep(m, ...calls)),
    },
    { weight: 1, arbitrary: text.map(userStep) },
  ),
  { maxLength: 14 },
);

export const anyDomain = fc.constantFrom(...listDomainProfiles());
