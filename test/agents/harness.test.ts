import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import {
  filledCommand,
  type HarnessBridge,
  harnessBridgeSchema,
  MINI_SWE_AGENT,
  parseHarnessBridge,
} from "../../shared/agents/harness/harness-bridge.ts";
import { collect } from "../../shared/collect/collect.ts";
import { type HarnessRunnerOptions, harnessRunner } from "../../shared/collect/harness-runner.ts";
import { MemoryLedger } from "../../shared/collect/memory-ledger.ts";
import { planEpisodes } from "../../shared/collect/plan-episodes.ts";
import type { Verdict } from "../../shared/env/protocol.ts";
import { miniSweAgent } from "../../shared/trajectory/formats/mini-swe-agent.ts";
import { localSandbox } from "../factories/local-sandbox.ts";
import { temporaryFolder } from "../factories/temporary.ts";

/** A program that writes what mini-swe-agent writes, and does as its second argument says. */
const HARNESS = `
import { readFileSync, writeFileSync } from "node:fs";
const [log, order, task, model] = process.argv.slice(2);
const assistant = (command) => ({
  role: "assistant", content: "I look.",
  tool_calls: [{ id: "call_1", type: "function", function: { name: "bash", arguments: JSON.stringify({ command }) } }],
  extra: { actions: [{ command, tool_call_id: "call_1" }], cost: 0.25,
    response: { model, usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 } } },
});
const trajectory = {
  info: { model_stats: { instance_cost: 0.25, api_calls: 1 }, mini_version: "2.4.6", exit_status: "Submitted",
    submission: "", config: { model: { model_name: model }, environment: { key: process.env.SECRET_KEY ?? null } } },
  messages: [
    { role: "system", content: "You are helpful." },
    { role: "user", content: "Please solve this issue: " + task },
    assistant("ls"),
    { role: "tool", tool_call_id: "call_1", content: '{"returncode": 0, "output": "a.txt"}', extra: { returncode: 0 } },
    { role: "exit", content: "", extra: { exit_status: "Submitted", submission: "" } },
  ],
  trajectory_format: "mini-swe-agent-1.1",
};
if (order === "silent") { console.error("no model today"); process.exit(3); }
writeFileSync(log, order === "other" ? '{"steps": []}' : order === "cut" ? '{"info": ' : JSON.stringify(trajectory, null, 2));
if (order === "crash") { console.error("the provider is down"); process.exit(1); }
if (order === "hang") await new Promise((resolve) => setTimeout(resolve, 60000));
if (order === "large") writeFileSync(log, "x".repeat(5000));
`;

function bridgeOf(order: string, more: Partial<HarnessBridge> = {}): HarnessBridge {
  const folder = temporaryFolder("harness");
  writeFileSync(join(folder, "harness.mjs"), HARNESS);
  return {
    ...MINI_SWE_AGENT,
    command: [process.execPath, join(folder, "harness.mjs"), "{log}", order, "{task}", "{model}"],
    log: join(folder, "logs", "log.traj.json"),
    pass_env: ["SECRET_KEY"],
    ...more,
  };
}

async function collected(
  bridge: HarnessBridge,
  more: Partial<HarnessRunnerOptions> & { readonly verdict?: Verdict } = {},
) {
  const { verdict = { success: true, score: 1, tests: { passed: 3, failed: 0 } }, ...options } = more;
  const ledger = new MemoryLedger();
  const result = await collect({
    run: "r",
    episodes: planEpisodes([{ id: "pallets__flask-5063", description: "Mend it; $(touch x)" }], {
      attempts: 1,
      seed: 4,
    }),
    makeRunner: () =>
      harnessRunner({
        ...{ bridge, format: miniSweAgent, model: "openai/m", timeoutMs: 20_000 },
        variables: { SECRET_KEY: "s3", OTHER: "no" },
        makePlace: () => ({
          prepare: () => localSandbox(),
          verdict: async () => verdict,
          close: async () => undefined,
        }),
        ...options,
      }),
    ledger,
    clock: systemClock,
  });
  const [entry] = result.entries;
  const document = ledger.documents.get("pallets__flask-5063.0");
  return { entry, document, text: new TextDecoder().decode(document?.bytes) };
}

describe("a harness in a sandbox", () => {
  it("leaves its log as the trajectory, with the verdict and which attempt it was before it", async () => {
    const bridge = bridgeOf("solve");
    const { entry, document, text } = await collected(bridge);
    expect(entry).toMatchObject({
      ...{ kind: "done", success: true, score: 1, reward: 1, turns: 1, steps: 1, stop: "Submitted" },
      cost_usd: 0.25,
      tokens: { input: 100, output: 20 },
    });
    expect(document?.extension).toBe(".traj.json");
    const value = JSON.parse(text);
    expect(value).toMatchObject({ instance_id: "pallets__flask-5063", resolved: true, tests_passed: 3 });
    const seen = miniSweAgent.detect(value);
    const [draft] = miniSweAgent.convert({ value, variant: seen.match ? seen.variant : "", stem: "x" });
    expect(draft?.task).toMatchObject({ id: "pallets__flask-5063" });
    expect(draft?.outcome).toMatchObject({ success: true, exit_status: "Submitted", tests_passed: 3 });
    expect(draft?.metadata?.["gymline"]).toEqual({ run: "r", attempt: 0, seed: entry?.seed, bridge: "1" });
    expect(draft?.document.agent.model_name).toBe("openai/m");
    // Arguments are no shell's, and only variables that are named are passed on.
    expect(value.messages[1].content).toContain("Mend it; $(touch x)");
    expect(value.info.config.environment.key).toBe("s3");
  });

  it("is dropped byte by byte where no labels are wanted, and keeps its own text where they are", async () => {
    const plain = await collected(bridgeOf("solve", { labels: "none" }));
    const labelled = await collected(bridgeOf("solve"));
    expect(plain.text.startsWith('{\n  "info": {')).toBe(true);
    expect(labelled.text.endsWith(plain.text.slice(1))).toBe(true);
  });

  it("is an attempt that failed where the verdict says so", async () => {
    const { entry, text } = await collected(bridgeOf("solve"), { verdict: { success: false, score: 0 } });
    expect(entry).toMatchObject({ kind: "done", success: false, reward: 0 });
    expect(JSON.parse(text).resolved).toBe(false);
  });

  it("is ended when its time is over, and what it wrote by then is its log", async () => {
    const { entry, text } = await collected(bridgeOf("hang"), { timeoutMs: 1500 });
    expect(entry).toMatchObject({ kind: "done", stop: "timeout", turns: 1 });
    expect(JSON.parse(text).messages).toHaveLength(5);
  });

  it.each([
    ["silent", /ended with exit code 3 and wrote no log at .*: no model today/],
    ["crash", /ended with exit code 1: the provider is down/],
    ["other", /none of the format mini-swe-agent: there is no/],
    ["cut", /no JSON, and so none of the format mini-swe-agent/],
  ])("failed, and says how, where it is %s", async (order, message) => {
    const { entry } = await collected(bridgeOf(order));
    expect(entry).toMatchObject({ kind: "failed", success: null, stop: "harness_error" });
    expect(entry?.error?.message).toMatch(message);
  });

  it("has its log refused where that is too long, and its program named where there is none", async () => {
    const large = await collected(bridgeOf("large", { max_log_bytes: 1000 }));
    expect(large.entry?.error?.message).toMatch(/a log of 5000 bytes; raise max_log_bytes \(1000\)/);
    const missing = await collected(bridgeOf("x", { command: ["no-such-harness"] }));
    expect(missing.entry?.error?.message).toContain("no-such-harness");
  });
});

describe("the description of a harness", () => {
  const values = { task: "t {model}", task_id: "i", model: "m", seed: "1", log: "/l" };

  it("has its names filled in once, and limits left out with their option where there are none", () => {
    const { command } = MINI_SWE_AGENT;
    expect(filledCommand(command, values)).toEqual([
      ...["mini", "--yolo", "--exit-immediately", "--task", "t {model}", "--model", "m"],
      ...["--output", "/l", "--config", "mini.yaml"],
    ]);
    const limited = filledCommand(command, { ...values, max_cost: "0.5", max_steps: "9" });
    expect(limited.join(" ")).toContain("--cost-limit 0.5 --config mini.yaml --config agent.step_limit=9");
    expect(() => filledCommand(["{tsk}"], values)).toThrow("{tsk} in the description of a harness");
  });

  it("is refused with the field that is wrong", () => {
    expect(() => parseHarnessBridge({ name: "x" }, "b.json")).toThrow(
      /b\.json is no description of a harness: command/,
    );
    const relative = { name: "x", command: ["x"], log: "log.json", format: "atif" };
    expect(() => parseHarnessBridge(relative, "b.json")).toThrow(/log/);
    expect(harnessBridgeSchema.parse({ ...relative, log: "/tmp/l" })).toMatchObject({ labels: "none" });
  });
});
