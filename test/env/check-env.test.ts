import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkEnv } from "../../shared/env/check/check-env.ts";
import { mockTools } from "../../shared/env/conversation/mock-tools.ts";
import { makeEnv } from "../../shared/env/envs.ts";
import type { AgentEnv, TimeStep } from "../../shared/env/protocol.ts";
import { timeStep } from "../../shared/env/time-step.ts";
import { EnvWrapper } from "../../shared/env/wrappers/env-wrapper.ts";
import { MaxSteps } from "../../shared/env/wrappers/max-steps.ts";
import { plainEnv } from "../factories/plain-env.ts";

const task = {
  id: "t",
  description: "Where is my parcel?",
  conversation: {
    user: {
      kind: "script",
      replies: [{ text: ["Hm.", "And now?", "Really?"] }, { text: "Thanks.", ends: true }],
    },
    criteria: [{ kind: "message", text: { contains: "parcel" } }],
  },
};

describe("checkEnv", () => {
  it.each(["conversation", "engineering", "advisory", "discussion"])(
    "passes the %s environment",
    async (domain) => {
      for (const id of [`gymline/${domain}-v1`, `knowlyr/${domain}`]) {
        for (const more of [{}, { task }]) {
          const report = await checkEnv(() => makeEnv(id), { ...more, envTools: mockTools(domain) });
          expect(report.findings.filter(({ verdict }) => verdict !== "passed")).toEqual([]);
          expect(report.ok).toBe(true);
          expect(report.findings.length).toBeGreaterThan(12);
        }
      }
    },
  );

  it("says what it could not tell", async () => {
    const report = await checkEnv(() => plainEnv(), { maxSteps: 3, deterministic: false });
    expect(report.ok).toBe(true);
    expect(report.findings.filter(({ verdict }) => verdict === "skipped").map(({ check }) => check)).toEqual([
      "tells the schemas it checks by",
      "repeats itself with the same seed",
      "refuses a step after the end",
    ]);
  });

  const broken: readonly (readonly [string, string, (env: AgentEnv) => AgentEnv])[] = [
    ["refuses a step before reset", "is answered", (env) => answering(env, "new")],
    ["refuses a step after the end", "is answered", (env) => answering(env, "done")],
    ["closes for good", "is answered", (env) => answering(env, "closed")],
    [
      "answers with time steps",
      "done is not terminated || truncated",
      (env) => changed(env, (step) => ({ ...step, done: false })),
    ],
    [
      "answers with time steps",
      "reward is no finite number",
      (env) => changed(env, (step) => ({ ...step, reward: Number.NaN })),
    ],
    [
      "answers invalid actions",
      "info.error does not say why",
      (env) => changed(env, (step) => ({ ...step, info: {} })),
    ],
    [
      "repeats itself with the same seed",
      "two environments differ at step 1",
      (env) => {
        const mark = String(counter++);
        return changed(env, (step) => ({ ...step, observation: mark }));
      },
    ],
    [
      "tells its tools",
      'required names "y", which is no property',
      (env) =>
        withTools(env, {
          name: "t",
          description: "x",
          parameters: { type: "object", properties: {}, required: ["y"] },
        }),
    ],
    [
      "tells its tools",
      "the name must be",
      (env) => withTools(env, { name: "t t", description: "x", parameters: { type: "object" } }),
    ],
    ["heeds an abort before the call", "does not fail with its reason", (env) => deaf(env)],
    ["names itself", "is not of the form", (env) => overriding(env, { id: "plain" })],
  ];
  let counter = 0;

  it.each(broken)("finds what is wrong: %s: %s", async (check, detail, breakIt) => {
    const report = await checkEnv(() => breakIt(new MaxSteps(plainEnv({ endsAt: 3 }))));
    const finding = report.findings.find((each) => each.check === check);
    expect(finding).toMatchObject({ verdict: "failed" });
    expect(finding?.detail).toContain(detail);
    expect(report.ok).toBe(false);
  });

  it("finds tools that are checked by another schema than they tell", async () => {
    const envTools = [{ name: "t", description: "Does nothing.", params: z.object({ i: z.string() }) }];
    const report = await checkEnv(() => plainEnv({ endsAt: 2 }), { envTools });
    const finding = report.findings.find(({ check }) => check === "tells the schemas it checks by");
    expect(finding?.detail).toBe("t: the JSON Schema is not that of its zod schema");
  });
});

/** Answers in a phase in which it should refuse. */
function answering(env: AgentEnv, when: "new" | "done" | "closed"): AgentEnv {
  let phase: "new" | "running" | "done" | "closed" = "new";
  return overriding(env, {
    reset: async (options) => {
      const first = await env.reset(options);
      phase = "running";
      return first;
    },
    step: async (action, signal) => {
      if (phase === when) return timeStep({ observation: "fine" });
      const step = await env.step(action, signal);
      if (step.done) phase = "done";
      return step;
    },
    close: async () => {
      phase = "closed";
      await env.close();
    },
  });
}

function deaf(env: AgentEnv): AgentEnv {
  return overriding(env, {
    reset: ({ signal: _, ...options } = {}) => env.reset(options),
    step: (action) => env.step(action),
  });
}

class Changed extends EnvWrapper {
  readonly #change: (step: TimeStep) => TimeStep;
  constructor(env: AgentEnv, change: (step: TimeStep) => TimeStep) {
    super(env);
    this.#change = change;
  }
  protected override async onStep(...args: Parameters<AgentEnv["step"]>): Promise<TimeStep> {
    return this.#change(await super.onStep(...args));
  }
}

function changed(env: AgentEnv, change: (step: TimeStep) => TimeStep): AgentEnv {
  return new Changed(env, change);
}

function withTools(env: AgentEnv, ...tools: AgentEnv["tools"]): AgentEnv {
  return overriding(env, { tools });
}

function overriding(env: AgentEnv, parts: Partial<AgentEnv>): AgentEnv {
  return {
    id: env.id,
    domain: env.domain,
    tools: env.tools,
    unwrapped: env.unwrapped,
    reset: (options) => env.reset(options),
    step: (action, signal) => env.step(action, signal),
    close: () => env.close(),
    ...parts,
  };
}
