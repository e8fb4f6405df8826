import { describe, expect, it } from "vitest";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { redactTrajectory } from "../../shared/redaction/redact-trajectory.ts";
import { createRedactor } from "../../shared/redaction/redactor.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { agentStep, makeTrajectory } from "./trajectories.ts";

const SECRET = "DB_PASSWORD=horse7battery8staple";
const redactor = createRedactor(redactionConfigSchema.parse({}));
const redact = (trajectory: Trajectory): Trajectory => redactTrajectory({ trajectory, redactor }).trajectory;
const tokens = [...SECRET].map((letter) => letter.codePointAt(0) ?? 0);

const call = (extra: object) => ({
  tool_call_id: "c",
  function_name: "f",
  arguments: { token_ids: tokens },
  extra,
});
const result = (content: string, extra: object) => ({ results: [{ source_call_id: "c", content, extra }] });

describe("tokens of a text that was redacted", () => {
  it("go from calls and results too, but not from the arguments of a call", () => {
    const { steps, extra } = redact(
      makeTrajectory([
        agentStep({
          message: SECRET,
          tool_calls: [call({ gymline: { native: { response_token_ids: tokens, kept: 1 } } })],
          observation: result("ok", { logprobs: { tokens: ["DB", "_PASS"] } }),
        }),
      ]),
    );
    expect(steps[0]?.tool_calls?.[0]?.extra).toEqual({ gymline: { native: { kept: 1 } } });
    expect(steps[0]?.tool_calls?.[0]?.arguments).toEqual({ token_ids: tokens });
    expect(steps[0]?.observation?.results[0]?.extra).toEqual({});
    expect(extra.gymline.fidelity.dropped.map(({ path }) => path)).toEqual([
      "steps[*].tool_calls.response_token_ids",
      "steps[*].observation.logprobs",
    ]);
  });

  it("go from a result whose own text was redacted", () => {
    const observation = result(SECRET, { token_ids: tokens });
    const { steps } = redact(makeTrajectory([agentStep({ tool_calls: [call({})], observation })]));
    expect(steps[0]?.observation?.results[0]?.extra).toEqual({});
  });

  it("go from the totals and extras of the run", () => {
    const calls = { api_calls: [{ completion_token_ids: tokens, seconds: 2 }] };
    const document = { final_metrics: { total_steps: 1, extra: calls } };
    const { final_metrics: totals } = redact(makeTrajectory([agentStep({ message: SECRET })], { document }));
    expect(totals).toEqual({ total_steps: 1, extra: { api_calls: [{ seconds: 2 }] } });
  });

  it("stay in a run without secrets", () => {
    const document = { final_metrics: { extra: { token_ids: [1, 2] } } };
    const trajectory = makeTrajectory([agentStep({ metrics: { completion_token_ids: [3] } })], { document });
    expect(redact(trajectory)).toEqual(trajectory);
  });
});

describe("secrets in unusual places", () => {
  it("are found in the paths of what was dropped", () => {
    const key = ["gh", "p_", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE"].join("");
    const fidelity = {
      tokens: "text_only",
      dropped: [{ path: `$.turns.${key}`, reason: "large", count: 1 }],
      notes: [],
    };
    const { extra } = redact(makeTrajectory([agentStep({})], { gymline: { fidelity } }));
    expect(extra.gymline.fidelity.dropped).toEqual([
      { path: "$.turns.[API_KEY_1]", reason: "large", count: 1 },
    ]);
  });

  it.each([
    ["a resident id behind a full stop", "编号.11010519491231002X", "编号.[RESIDENT_ID_1]"],
    ["an internal host in a URL of a version control", "git+http://jenkins01:8080/x", "[INTERNAL_URL_1]"],
  ])("%s", (_, text, expected) => {
    expect(redactor.session().redact(text)).toBe(expected);
  });
});
