import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { BareRepository, locateRepository } from "./bare-repository.ts";
import { type LabelledRun, labelledSets } from "./labelled-sets.ts";

/** A repository with these files, and its commit. */
function repositoryWith(files: Readonly<Record<string, unknown>>): {
  readonly folder: string;
  readonly commit: string;
} {
  const work = temporaryFolder("measure");
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", work, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      encoding: "utf8",
    }).trim();
  git("init", "--quiet");
  git("add", "--all");
  git("commit", "--quiet", "--message", "files");
  return { folder: join(work, ".git"), commit: git("rev-parse", "HEAD") };
}

async function runsOf(
  name: string,
  files: Readonly<Record<string, unknown>>,
): Promise<readonly LabelledRun[]> {
  const { folder, commit } = repositoryWith(files);
  const repository = await BareRepository.open(folder, commit);
  try {
    const set = labelledSets.find((each) => each.name === name);
    if (set === undefined) throw new Error(`no set ${name}`);
    const runs: LabelledRun[] = [];
    for await (const run of set.runs(repository)) runs.push(run);
    return runs;
  } finally {
    repository.close();
  }
}

describe("labelled sets", () => {
  it("take the label from the report of the run and group attempts by task", async () => {
    const run = { trajectory: [], history: [] };
    const runs = await runsOf("swe-agent-lite", {
      "results/swe-agent-results/cost_2_1/final_report.json": { resolved: ["a__b-1"] },
      "results/swe-agent-results/cost_2_1/a__b-1.traj": run,
      "results/swe-agent-results/cost_2_1/a__b-2.traj": run,
      "results/swe-agent-results/cost_2_2/a__b-1.traj": run,
    });
    expect(runs.map(({ name, task, group, label }) => [name, task, group, label])).toEqual([
      ["cost_2_1-a__b-1", "a__b-1", "a__b", 1],
      ["cost_2_1-a__b-2", "a__b-2", "a__b", 0],
      ["cost_2_2-a__b-1", "a__b-1", "a__b", 0],
    ]);
  });

  it("leave out the verdict that a validated run prints last", async () => {
    const folder = "results/acr-val-only/applicable_patch/a__b-1_2024-04-05_01-02-03";
    const opening = [
      { role: "user", content: "issue" },
      { role: "assistant", content: "patch" },
    ];
    const [run] = await runsOf("acr-validated", {
      "results/acr-val-only/new_eval_results/report.json": { resolved: ["a__b-1"] },
      [`${folder}/debug_agent_write_patch_1.json`]: opening.slice(0, 1),
      [`${folder}/debug_agent_write_patch_2.json`]: [
        ...opening,
        { role: "user", content: "Written a patch that resolves the issue." },
      ],
    });
    expect(run).toMatchObject({ label: 1, log: { messages: opening } });
  });

  it("read what an agent printed to a terminal back into its messages, without spinners and noise", async () => {
    const root =
      "results/terminal-bench-core@0.1.1/20250825_swe-agent-mini_claude-4-sonnet/run/t/t.1-of-1.run";
    const terminal = [
      "root@x:/app# mini",
      "\u001b[1mmini-swe-agent\u001b[0m (step 1, $0.01):",
      "⠙ Waiting for the LM to respond...THOUGHT: look",
      "```bash",
      "ls",
      "```",
      "────────────────",
      "User:",
      "<returncode>0</returncode>",
      "<output>",
      "a.txt",
      "</output>",
      "04:11:10 - LiteLLM:ERROR: x",
      "Traceback (most recent call last):",
      "",
    ].join("\r\n");
    const [run, ...others] = await runsOf("terminal-bench-mini", {
      [`${root}/results.json`]: { task_id: "t", is_resolved: true },
      [`${root}/sessions/agent.log`]: terminal,
      [`${root.replace("1-of-1", "2-of-2")}/results.json`]: { task_id: "t", is_resolved: false },
      [`${root.replace("1-of-1", "2-of-2")}/sessions/agent.log`]: "bash: mini: command not found",
    });
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      label: 1,
      log: {
        messages: [
          { role: "assistant", content: "THOUGHT: look\n```bash\nls\n```" },
          { role: "user", content: "<returncode>0</returncode>\n<output>\na.txt\n</output>" },
        ],
      },
    });
  });

  it("group runs of tau-bench by customer and leave out those that broke off", async () => {
    const traj = [{ role: "user", content: "hello" }];
    const row = { task_id: 3, trial: 0, reward: 1, traj, info: { task: { user_id: "mia_li_3668" } } };
    const runs = await runsOf("tau-retail-tools", {
      "final_results/tool-calling-a.json": [row, { ...row, task_id: 4, info: { error: "timeout" } }],
      "final_results/other.json": [row],
    });
    expect(runs).toMatchObject([{ name: "tool-calling-a-3-0", group: "customer mia_li", label: 1 }]);
    const folder =
      "tau2-bench/web/leaderboard/public/submissions/toolorchestra_nvidia_2025-12-02/trajectories";
    const simulation = { task_id: "7", trial: 0, reward_info: { reward: 0 }, messages: [] };
    const [same] = await runsOf("tau2-retail-orchestra", {
      [`${folder}/toolorchestra_retail_x.json`]: {
        tasks: [{ id: "7", known_info: "You name is Mia Li and your zip code is 60626." }],
        simulations: [simulation],
      },
    });
    expect(same).toMatchObject({ task: "toolorchestra_retail_x-7", group: "customer mia_li", label: 0 });
  });

  it("put the blocks of a session back together into messages", async () => {
    const folder = "results/haiku_run_complete_dataset";
    const lines = [
      { type: "agent-setting" },
      { type: "user", message: { content: "Customer information:\nMia Li in zip code 60626" } },
      { type: "assistant", message: { id: "a", content: [{ type: "thinking", thinking: "hm" }] } },
      {
        type: "assistant",
        message: { id: "a", content: [{ type: "tool_use", id: "c1", name: "look", input: { n: 1 } }] },
      },
      { type: "user", message: { content: [{ type: "tool_result", tool_use_id: "c1", content: "found" }] } },
      { type: "assistant", message: { id: "b", content: [{ type: "text", text: "done" }] } },
    ];
    const [run] = await runsOf("tau2-retail-solo", {
      [`${folder}/eval_results.json`]: [{ task_id: "7", db_match: true }],
      [`${folder}/task_7.jsonl`]: lines.map((line) => JSON.stringify(line)).join("\n"),
    });
    const call = { id: "c1", type: "function", function: { name: "look", arguments: '{"n":1}' } };
    expect(run).toEqual({
      name: "haiku_run_complete_dataset-7",
      format: "openai-messages",
      task: "haiku_run_complete_dataset-7",
      group: "customer mia_li",
      label: 1,
      log: {
        task_id: "7",
        messages: [
          { role: "user", content: "Customer information:\nMia Li in zip code 60626" },
          { role: "assistant", content: "", reasoning_content: "hm", tool_calls: [call] },
          { role: "tool", tool_call_id: "c1", content: "found" },
          { role: "assistant", content: "done" },
        ],
      },
    });
  });

  it("say which mirror is not there", async () => {
    const from = temporaryFolder("measure");
    const located = locateRepository({ from, repository: "a/b", commit: "c", cache: from });
    await expect(located).rejects.toThrow(/no mirror of a\/b/);
  });
});
