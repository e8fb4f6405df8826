import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { tinyModel } from "../inference/expected.ts";
import { gymline } from "./program.ts";

const TASK = {
  id: "hours",
  description: "When do you open?",
  conversation: {
    criteria: [
      { kind: "called", tool: "query_stats", arguments: { query: { equals: "opening hours" } } },
      { kind: "message", which: "last", text: { contains: "nine" } },
    ],
  },
};

function workplace(): string {
  const folder = temporaryFolder("collect-onnx");
  writeFileSync(join(folder, "tasks.jsonl"), JSON.stringify(TASK));
  return folder;
}

const ARGS = ["--env", "gymline/conversation", "--agent", "onnx", "--tasks", "tasks.jsonl", "--seed", "1"];

describe("gymline collect --agent onnx", () => {
  it("lets an exported model act, and its tokens and log-probs reach the rows of a dataset", async () => {
    const cwd = workplace();
    const args = [...ARGS, "--model", tinyModel("tiny-qwen2"), "--n", "3", "--parallel", "3", "--run", "r1"];
    const collected = await gymline(["collect", ...args, "--json"], { cwd });
    expect(collected).toMatchObject({ code: 0 });
    expect(JSON.parse(collected.stdout).summary.success.value).toBe(1);
    const stored = JSON.parse(readFileSync(join(cwd, "drop/r1/hours.0.json"), "utf8"));
    const turns = stored.steps.filter((step: { source: string }) => step.source === "agent");
    expect(turns).toHaveLength(2);
    for (const { metrics, model_name: model } of turns) {
      expect(model).toBe("tiny-qwen2");
      expect(metrics.completion_token_ids.length).toBeGreaterThan(5);
      expect(metrics.logprobs).toHaveLength(metrics.completion_token_ids.length);
      expect(metrics.prompt_token_ids).toHaveLength(metrics.prompt_tokens);
    }
    expect(stored.extra.gymline.fidelity.tokens).toBe("token_exact");
    // Nobody is paid for it.
    expect(stored.final_metrics.total_cost_usd).toBe(0);
    expect(await gymline(["run", "drop", "--no-export"], { cwd })).toMatchObject({ code: 0 });
    const made = await gymline(["export", "--target", "trl", "--name", "hours"], { cwd });
    expect(made).toMatchObject({ code: 0 });
    const [version = ""] = readdirSync(join(cwd, "out/datasets/hours"));
    const files = readdirSync(join(cwd, "out/datasets/hours", version)).filter((name) =>
      /^(train|validation|test)/.test(name),
    );
    const rows = files.flatMap((name) =>
      readFileSync(join(cwd, "out/datasets/hours", version, name), "utf8")
        .trim()
        .split("\n"),
    );
    expect(rows.filter((row) => row !== "").map((row) => JSON.parse(row).tokens)).toEqual(["token_exact"]);
  });

  it("says what is wrong with a model or an option before it begins", async () => {
    const cwd = workplace();
    const wrong = await gymline(["collect", ...ARGS, "--model", "nothing"], { cwd });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(
      /nothing does not exist: give the folder of a model that was exported to ONNX/,
    );
    const syntax = await gymline(
      ["collect", ...ARGS, "--model", tinyModel("tiny-qwen2"), "--tool-syntax", "x"],
      { cwd },
    );
    expect(syntax.stderr).toContain(
      '--tool-syntax takes hermes, llama, mistral, qwen-xml, action, none, not "x"',
    );
    const other = await gymline(
      [
        "collect",
        "--env",
        "gymline/conversation",
        "--agent",
        "anthropic",
        "--model",
        "m",
        "--tasks",
        "tasks.jsonl",
        "--top-p",
        "0.5",
      ],
      { cwd },
    );
    expect(other.stderr).toContain("--top-p is for --agent onnx");
  });

  it("costs what the settings say, and a limit on costs then ends its episodes", async () => {
    const cwd = workplace();
    const price = { input: 1e4, cacheWrite: 1e4, cacheRead: 1e4, output: 1e4 };
    writeFileSync(join(cwd, "gymline.json"), JSON.stringify({ judge: { prices: { "tiny-": price } } }));
    const args = ["collect", ...ARGS, "--model", tinyModel("tiny-qwen2"), "--json"];
    const dear = JSON.parse((await gymline(args, { cwd })).stdout);
    expect(dear.summary.costUsd).toBeGreaterThan(0.01);
    const limited = await gymline([...args, "--run", "limited", "--max-cost", "0.001"], { cwd });
    expect(JSON.parse(limited.stdout).summary.success.value).toBe(0);
  });

  it("does not go on with another model in the same folder", async () => {
    const cwd = workplace();
    cpSync(tinyModel("tiny-qwen2"), join(cwd, "model"), { recursive: true });
    const args = [...ARGS, "--model", "model", "--run", "r1", "--quiet"];
    expect(await gymline(["collect", ...args], { cwd })).toMatchObject({ code: 0 });
    const resume = ["collect", "--resume", "r1", "--quiet"];
    expect(await gymline(resume, { cwd })).toMatchObject({ code: 0 });
    // Trained again, in place.
    const config = join(cwd, "model/generation_config.json");
    writeFileSync(config, readFileSync(config, "utf8").replace("{", '{ "top_k": 3,'));
    const refused = await gymline(resume, { cwd });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("model holds another model than when the run r1 began");
  });
});
