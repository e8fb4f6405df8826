import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { RedactionError } from "../../shared/redaction/errors.ts";
import { redactTrajectory } from "../../shared/redaction/redact-trajectory.ts";
import { createRedactor } from "../../shared/redaction/redactor.ts";
import { type Trajectory, trajectorySchema } from "../../shared/trajectory/schema.ts";
import { bareSecrets } from "./samples.ts";
import { agentStep, makeTrajectory } from "./trajectories.ts";

const redactor = createRedactor(redactionConfigSchema.parse({}));
const redact = (trajectory: Trajectory) => redactTrajectory({ trajectory, redactor });

const call = (args: Readonly<Record<string, unknown>>) =>
  agentStep({ tool_calls: [{ tool_call_id: "c1", function_name: "bash", arguments: args }] });
const observe = (result: Readonly<Record<string, unknown>>) =>
  agentStep({ observation: { results: [result] } });

const places: readonly (readonly [string, (secret: string) => Trajectory])[] = [
  ["a message", (s) => makeTrajectory([{ source: "user", message: `x ${s} y` }])],
  ["a content part", (s) => makeTrajectory([{ source: "user", message: [{ type: "text", text: s }] }])],
  ["reasoning", (s) => makeTrajectory([agentStep({ reasoning_content: s })])],
  ["nested arguments", (s) => makeTrajectory([call({ a: [[{ b: { c: [s] } }]] })])],
  ["an argument's key", (s) => makeTrajectory([call({ a: { [s]: 1 } })])],
  [
    "JSON in an argument",
    (s) => makeTrajectory([call({ a: JSON.stringify({ b: JSON.stringify({ c: s }) }) })]),
  ],
  ["an argument's extra", (s) => makeTrajectory([call({ extra: { signature: s } })])],
  ["steps among the arguments", (s) => makeTrajectory([call({ steps: [{ extra: { signature: s } }] })])],
  ["an observation", (s) => makeTrajectory([observe({ content: s })])],
  ["an observation's parts", (s) => makeTrajectory([observe({ content: [{ type: "text", text: s }] })])],
  [
    "an observation's extra",
    (s) => makeTrajectory([observe({ extra: { gymline: { error: s, native: { a: [s] } } } })]),
  ],
  [
    "a subagent reference",
    (s) =>
      makeTrajectory([
        observe({ subagent_trajectory_ref: [{ trajectory_id: "t", extra: { signature: s } }] }),
      ]),
  ],
  ["step extra", (s) => makeTrajectory([agentStep({ extra: { gymline: { thought: s }, other: { a: s } } })])],
  ["metrics", (s) => makeTrajectory([agentStep({ metrics: { extra: { signature: s, a: [s] } } })])],
  ["a model name", (s) => makeTrajectory([agentStep({ model_name: s })])],
  [
    "tool definitions",
    (s) => makeTrajectory([agentStep({})], { agent: { tool_definitions: [{ description: s }] } }),
  ],
  ["agent extra", (s) => makeTrajectory([agentStep({})], { agent: { extra: { a: s } } })],
  ["notes", (s) => makeTrajectory([agentStep({})], { document: { notes: s } })],
  ["the session id", (s) => makeTrajectory([agentStep({})], { document: { session_id: s } })],
  [
    "final metrics",
    (s) => makeTrajectory([agentStep({})], { document: { final_metrics: { extra: { a: s } } } }),
  ],
  [
    "the task",
    (s) => makeTrajectory([agentStep({})], { gymline: { task: { description: s, metadata: { a: [s] } } } }),
  ],
  [
    "the outcome",
    (s) => makeTrajectory([agentStep({})], { gymline: { outcome: { success: null, feedback: s } } }),
  ],
  [
    "metadata",
    (s) => makeTrajectory([agentStep({})], { gymline: { metadata: { signature: s, a: { b: s } } } }),
  ],
  [
    "a lint warning",
    (s) => makeTrajectory([agentStep({})], { gymline: { lint: [{ code: "x", message: s }] } }),
  ],
  [
    "an embedded trajectory",
    (s) =>
      makeTrajectory([agentStep({})], {
        document: {
          subagent_trajectories: [
            {
              schema_version: "ATIF-v1.8",
              trajectory_id: "sub",
              agent: { name: "a", version: "1" },
              steps: [{ step_id: 1, source: "user", message: s, extra: { signature: s } }],
            },
          ],
        },
      }),
  ],
];

describe("where secrets are found", () => {
  it.each(places)("every kind of secret is redacted in %s", (_, make) => {
    for (const [type, , secret] of bareSecrets) {
      const { trajectory, report } = redact(make(secret));
      const stored = JSON.stringify(trajectory);
      expect(stored).not.toContain(JSON.stringify(secret).slice(1, -1));
      expect(report.by_type[type]).toBeGreaterThan(0);
      expect(trajectorySchema.parse(trajectory)).toEqual(trajectory);
      expect(redact(trajectory).trajectory).toEqual(trajectory);
    }
  });

  it("a value under a key that names a credential is replaced whole", () => {
    const { trajectory } = redact(
      makeTrajectory([
        call({
          password: "opensesame",
          nested: { clientSecret: "ab12cd", pin: 1 },
          auth: { token: "ab12cd34" },
        }),
      ]),
    );
    expect(trajectory.steps[0]?.tool_calls?.[0]?.arguments).toEqual({
      password: "[CREDENTIAL_1]",
      nested: { clientSecret: "[CREDENTIAL_2]", pin: 1 },
      auth: { token: "[CREDENTIAL_3]" },
    });
  });

  it("a name-value pair and a list under such a key count too", () => {
    const { trajectory } = redact(
      makeTrajectory([call({ env: [{ name: "DB_PASSWORD", value: "opensesame" }], password: ["hunter2x"] })]),
    );
    expect(trajectory.steps[0]?.tool_calls?.[0]?.arguments).toEqual({
      env: [{ name: "DB_PASSWORD", value: "[CREDENTIAL_1]" }],
      password: ["[CREDENTIAL_2]"],
    });
  });

  it("arguments that only look like credentials stay", () => {
    const args = {
      max_tokens: 1024,
      token_count: "12",
      tokenizer: "cl100k_base",
      password: "",
      api_key: "your_api_key",
      token: "the",
      auth: "none",
      secret: null,
    };
    const trajectory = makeTrajectory([call(args)]);
    expect(redact(trajectory).trajectory).toEqual(trajectory);
  });

  it("two keys that are redacted stay two keys", () => {
    const { trajectory } = redact(makeTrajectory([call({ "a@b.co": 1, "c@d.co": 2, "[EMAIL_1]": 3 })]));
    expect(trajectory.steps[0]?.tool_calls?.[0]?.arguments).toEqual({
      "[EMAIL_2]": 1,
      "[EMAIL_3]": 2,
      "[EMAIL_1]": 3,
    });
  });

  it("a __proto__ key is data", () => {
    const args = JSON.parse('{"__proto__": {"a": "a@b.co"}}') as Record<string, unknown>;
    const { trajectory } = redact(
      makeTrajectory([observe({ extra: { gymline: { native: { a: [args] } } } })]),
    );
    expect(JSON.stringify(trajectory)).toContain('{"__proto__":{"a":"[EMAIL_1]"}}');
  });
});

describe("learnt secrets", () => {
  it("a password seen in one step is replaced, with the same placeholder, in all others", () => {
    const { trajectory } = redact(
      makeTrajectory([
        { source: "user", message: "echo hunter2!X; nothunter2!X" },
        call({ command: "login --password hunter2!X" }),
        agentStep({ reasoning_content: "it is hunter2!X." }),
      ]),
    );
    expect(trajectory.steps.map(({ message }) => message)[0]).toBe("echo [CREDENTIAL_1]; nothunter2!X");
    expect(trajectory.steps[1]?.tool_calls?.[0]?.arguments).toEqual({
      command: "login --password [CREDENTIAL_1]",
    });
    expect(trajectory.steps[2]?.reasoning_content).toBe("it is [CREDENTIAL_1].");
  });

  it("an ordinary word used as a password is not replaced elsewhere", () => {
    const { trajectory } = redact(
      makeTrajectory([
        { source: "user", message: "opensesame is a phrase" },
        call({ password: "opensesame" }),
      ]),
    );
    expect(trajectory.steps[0]?.message).toBe("opensesame is a phrase");
  });

  it("many learnt secrets are all replaced", () => {
    const secrets = Array.from({ length: 40 }, (_, index) => `pass!word${index}x`);
    const { trajectory } = redact(
      makeTrajectory([
        { source: "user", message: secrets.join(" ") },
        call({ list: secrets.map((s) => `password=${s}`) }),
      ]),
    );
    for (const secret of secrets) expect(JSON.stringify(trajectory)).not.toContain(secret);
  });
});

const tokens = {
  prompt_tokens: 3,
  completion_tokens: 2,
  prompt_token_ids: [1, 2, 3],
  completion_token_ids: [4, 5],
  logprobs: [-0.1, -0.2],
  extra: { prompt_logprobs: [[0]], logprobs: { content: [{ token: "x" }] }, tokens: 5 },
};

describe("token ids", () => {
  it("a changed answer loses its own ids and the prompt ids of it and later steps", () => {
    const { trajectory } = redact(
      makeTrajectory([
        agentStep({ metrics: tokens }),
        agentStep({ message: "mail a@b.co", metrics: tokens, extra: { token_ids: [1] } }),
        agentStep({ metrics: tokens }),
      ]),
    );
    const [first, second, third] = trajectory.steps;
    expect(first?.metrics).toEqual(tokens);
    expect(second?.metrics).toEqual({ prompt_tokens: 3, completion_tokens: 2, extra: { tokens: 5 } });
    expect(second?.extra).toEqual({});
    const { prompt_token_ids: _, ...kept } = tokens;
    expect(third?.metrics).toEqual({ ...kept, extra: { logprobs: tokens.extra.logprobs, tokens: 5 } });
    expect(trajectory.extra.gymline.fidelity.tokens).toBe("text_only");
    expect(trajectory.extra.gymline.fidelity.dropped).toContainEqual({
      path: "steps[*].metrics.prompt_token_ids",
      reason: "tokens of a text that was redacted",
      count: 2,
    });
  });

  it("a changed observation taints only the prompts after it", () => {
    const { trajectory } = redact(
      makeTrajectory([
        agentStep({ metrics: tokens, observation: { results: [{ content: "a@b.co" }] } }),
        agentStep({ metrics: tokens }),
      ]),
    );
    expect(trajectory.steps[0]?.metrics).toEqual(tokens);
    expect(trajectory.steps[1]?.metrics?.prompt_token_ids).toBeUndefined();
    expect(trajectory.steps[1]?.metrics?.completion_token_ids).toEqual([4, 5]);
  });

  it("a changed user message taints the prompts after it, and tool definitions taint all", () => {
    const user = redact(
      makeTrajectory([{ source: "user", message: "a@b.co" }, agentStep({ metrics: tokens })]),
    );
    expect(user.trajectory.steps[1]?.metrics?.prompt_token_ids).toBeUndefined();
    const tools = redact(
      makeTrajectory([agentStep({ metrics: tokens })], {
        agent: { tool_definitions: [{ description: "a@b.co" }] },
      }),
    );
    expect(tools.trajectory.steps[0]?.metrics?.prompt_token_ids).toBeUndefined();
    expect(tools.trajectory.steps[0]?.metrics?.completion_token_ids).toEqual([4, 5]);
  });

  it("fidelity stays where no ids were lost", () => {
    const { trajectory } = redact(makeTrajectory([agentStep({ message: "a@b.co" })]));
    expect(trajectory.extra.gymline.fidelity).toEqual({ tokens: "token_exact", dropped: [], notes: [] });
  });
});

const signed = (value: string) => ({
  gymline: {
    signatures: [{ kind: "thinking", value, covers: "reasoning_content" }],
    native: { thought_signature: value },
  },
  blocks: [{ type: "redacted_thinking", data: value }],
});
const opaque = Buffer.from(Uint8Array.from({ length: 90 }, (_, index) => (index * 37) % 251)).toString(
  "base64",
);

describe("signatures", () => {
  it("stay byte for byte over text that did not change", () => {
    const { trajectory } = redact(
      makeTrajectory([agentStep({ extra: signed(opaque) }), { source: "user", message: "a@b.co" }]),
    );
    expect(trajectory.steps[0]?.extra).toEqual(signed(opaque));
  });

  it("go where the text they cover changed", () => {
    const { trajectory } = redact(
      makeTrajectory([agentStep({ reasoning_content: "a@b.co", extra: signed(opaque) })]),
    );
    expect(JSON.stringify(trajectory)).not.toContain(opaque);
    expect(trajectory.extra.gymline.fidelity.dropped.map(({ path }) => path)).toEqual([
      "steps[*].extra.signatures",
      "steps[*].extra.thought_signature",
      "steps[*].extra.blocks",
    ]);
  });

  it.each([
    ["as it stands", `ghp_${"a1B2".repeat(9)}`],
    ["base64-decoded", Buffer.from(`\x00\x01 ghp_${"a1B2".repeat(9)} \x02`).toString("base64")],
  ])("go where they hold a secret, %s", (_, value) => {
    const { trajectory } = redact(makeTrajectory([agentStep({ extra: signed(value) })]));
    expect(JSON.stringify(trajectory)).not.toContain(value);
    expect(redact(trajectory).trajectory).toEqual(trajectory);
  });

  it("in a call's extra are treated alike", () => {
    const make = (command: string): Trajectory =>
      makeTrajectory([
        agentStep({
          tool_calls: [
            {
              tool_call_id: "c",
              function_name: "f",
              arguments: { command },
              extra: { gymline: { native: { signature: opaque } } },
            },
          ],
        }),
        { source: "user", message: "a@b.co" },
      ]);
    expect(JSON.stringify(redact(make("ls")).trajectory)).toContain(opaque);
    expect(JSON.stringify(redact(make("mail c@d.co")).trajectory)).not.toContain(opaque);
  });
});

describe("the report", () => {
  it("says where and what kind, never what", () => {
    const { trajectory, report } = redact(
      makeTrajectory([agentStep({}), call({ "a@b.co": "10.1.2.3 and c@d.co", x: "fine" })]),
    );
    expect(report).toEqual({
      total: 3,
      by_type: { EMAIL: 2, PRIVATE_IP: 1 },
      entries: [
        { path: "/steps/2/tool_calls/0/arguments", type: "EMAIL", count: 1 },
        { path: "/steps/2/tool_calls/0/arguments/[EMAIL_1]", type: "PRIVATE_IP", count: 1 },
        { path: "/steps/2/tool_calls/0/arguments/[EMAIL_1]", type: "EMAIL", count: 1 },
      ],
    });
    expect(trajectory.extra.gymline.redaction).toEqual(report);
  });

  it("lists at most 200 places and counts the others", () => {
    const { report } = redact(makeTrajectory([call({ list: Array.from({ length: 250 }, () => "a@b.co") })]));
    expect(report.entries).toHaveLength(200);
    expect(report.more).toBe(50);
    expect(report.total).toBe(250);
  });

  it("a clean document is returned as it is", () => {
    const trajectory = makeTrajectory([agentStep({ extra: signed(opaque), metrics: tokens })]);
    expect(redact(trajectory).trajectory).toBe(trajectory);
  });
});

describe("failing closed", () => {
  it("a detector's fault leaves no document", () => {
    const broken = createRedactor(redactionConfigSchema.parse({}), [
      {
        name: "broken",
        detect: () => {
          throw new Error("no");
        },
      },
    ]);
    const attempt = () => redactTrajectory({ trajectory: makeTrajectory([agentStep({})]), redactor: broken });
    expect(attempt).toThrow(RedactionError);
  });
});

const value = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom(...bareSecrets.map(([, , secret]) => secret)),
  fc.integer(),
);
const key = fc.constantFrom("a", "password", "token", "signature", "extra", "x@y.co", "name", "value");
const json = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    value,
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(key, tie("node"), { maxKeys: 3 }),
  ),
})).node;

describe("properties", () => {
  it("redacting twice is redacting once, and the result is still valid", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(json, json), { minLength: 1, maxLength: 4 }), (pairs) => {
        const { trajectory: once, clean } = redact(
          makeTrajectory(
            pairs.map(([args, more]) => ({
              ...call({ args }),
              extra: { more },
              metrics: { extra: { more } },
            })),
          ),
        );
        expect(redact(once).trajectory).toEqual(once);
        expect(clean).toContain("ok");
        for (const text of clean) expect(redactor.scan(text)).toEqual([]);
        expect(trajectorySchema.parse(once)).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });

  it("the input is not changed", () => {
    fc.assert(
      fc.property(json, (args) => {
        const trajectory = makeTrajectory([call({ args }), agentStep({ metrics: tokens })]);
        const before = structuredClone(trajectory);
        redact(trajectory);
        expect(trajectory).toEqual(before);
      }),
    );
  });
});
