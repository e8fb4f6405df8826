import type { BareRepository } from "./bare-repository.ts";
import { autoCodeRoverRuns } from "./read-auto-code-rover.ts";
import { interCodeReact } from "./read-intercode.ts";
import { tau2Simulations, tau2SoloSessions, tauBenchTrajectories } from "./read-tau-bench.ts";
import { terminalBenchMini } from "./read-terminal-bench.ts";

/**
 * Public runs of agents whose outcome their authors give. Nothing of their content is part of this project:
 * `fetch.ts` gets it from its source, at a fixed commit, into a folder that git ignores.
 */

/** One run: a log as one of this project's formats, and how it ended. */
export interface LabelledRun {
  /** Unique within its set; becomes the name of the file. */
  readonly name: string;
  /** The log, without anything that says how it ended. */
  readonly log: unknown;
  /** Format to force; without it the log is recognised by its content. */
  readonly format?: string;
  /** Equal for attempts at the same task by the same agent. */
  readonly task: string;
  /** Equal for runs that share code, users or a world: what cross-validation must not tear apart. */
  readonly group: string;
  readonly label: 0 | 1;
}

export interface LabelledSet {
  readonly name: string;
  /** Agent and model, as the source names them. */
  readonly agent: string;
  /** `owner/name` on GitHub. */
  readonly repository: string;
  readonly commit: string;
  /** Where in the source the outcome stands. */
  readonly labelledBy: string;
  /** Added after rules and weights stood, to see how they do on what they were not made with. */
  readonly heldOut?: true;
  readonly runs: (repository: BareRepository) => AsyncIterable<LabelledRun>;
}

const autoCodeRover = {
  repository: "AutoCodeRoverSG/auto-code-rover",
  commit: "585d3e639aeda58ef0b6a151dd1cc2721a94d267",
};
const terminalBench = {
  repository: "laude-institute/terminal-bench-leaderboard",
  commit: "8e1925a397d7ed859c027cc19b3a3d90c16ef8df",
};

const toolOrchestra = {
  repository: "mink555/TAU2-Bench",
  commit: "ff2c81ef9194fc79a400ac76c5dbb8d2f0799cee",
  labelledBy: "…/toolorchestra_nvidia_2025-12-02/trajectories/*.json: simulations[*].reward_info.reward",
};
const orchestraFolder =
  "tau2-bench/web/leaderboard/public/submissions/toolorchestra_nvidia_2025-12-02/trajectories/";
const agentVerify = {
  repository: "avaljotsingh/tau-bench",
  commit: "f2ad25ac1aa0b42bb6d2f1ced30b38d3dd34f086",
  labelledBy: "final_results/*.json: reward",
};

const interCode = {
  repository: "princeton-nlp/intercode",
  commit: "c3e46d827cfc9d4c704ec078f7abf9f41e3191d8",
  labelledBy: "data/results/…: summary.max_reward",
};

/** Attempts at one task are in one set, so that the best of n can be chosen among them. */
export const labelledSets: readonly LabelledSet[] = [
  {
    ...autoCodeRover,
    name: "swe-agent-lite",
    agent: "SWE-agent 0.x, GPT-4 (three runs of SWE-bench Lite)",
    labelledBy: "results/swe-agent-results/cost_2_<n>/final_report.json: resolved",
    runs: sweAgentRuns,
  },
  {
    ...autoCodeRover,
    name: "acr-lite",
    agent: "AutoCodeRover, GPT-4 (three runs of SWE-bench Lite)",
    labelledBy: "results/acr-run-<n>/new_eval_results/report.json: resolved",
    runs: (repository) => autoCodeRoverRuns(repository, ["acr-run-1", "acr-run-2", "acr-run-3"]),
  },
  {
    ...autoCodeRover,
    name: "acr-validated",
    agent: "AutoCodeRover with patch validation, GPT-4 (two settings)",
    labelledBy: "results/acr-val-<setting>/new_eval_results/report.json: resolved",
    runs: (repository) => autoCodeRoverRuns(repository, ["acr-val-only", "acr-val-sbfl"]),
  },
  {
    name: "tau-airline",
    agent: "tau-bench tool calling, GPT-4o (airline, four trials)",
    repository: "sierra-research/tau-bench",
    commit: "59a200c6d575d595120f1cb70fea53cef0632f6b",
    labelledBy: "historical_trajectories/*.json: reward",
    runs: tauBenchTrajectories,
  },
  {
    name: "tau2-airline",
    agent: "tau2-bench agents, Gemini 2.5 Flash (airline, four agents, two trials)",
    repository: "jitrc/tau2-enhanced",
    commit: "4b23a7edc99ca836665784f6d6c0d4d0c79b49ba",
    labelledBy: "samples/logs/*.json: simulations[*].reward_info.reward",
    runs: tau2Simulations,
  },
  {
    ...terminalBench,
    name: "terminal-bench-mini",
    agent: "mini-swe-agent, Claude Sonnet 4 (Terminal-Bench core, five runs)",
    labelledBy: "results/…/results.json: is_resolved",
    runs: terminalBenchMini,
  },
  {
    name: "live-swe-agent",
    agent: "mini-swe-agent derivative, GPT-5 mini (SWE-bench Verified, a subset)",
    repository: "RussellRyanH/CSCI-635-LiveSWE-Agent",
    commit: "2813cfb19465bb9f57d50ebd0798550480a2f836",
    labelledBy: "results/llm-ablation/…/eval_results/…/report.json: resolved",
    runs: liveSweAgentRuns,
  },
  {
    ...interCode,
    name: "intercode-sql",
    agent: "ReAct, GPT-3.5 (InterCode SQL)",
    heldOut: true,
    runs: (repository) => interCodeReact(repository, "sql"),
  },
  {
    ...interCode,
    name: "intercode-bash",
    agent: "ReAct, GPT-3.5 (InterCode Bash)",
    heldOut: true,
    runs: (repository) => interCodeReact(repository, "bash"),
  },
  {
    name: "mini-verified",
    agent: "mini-swe-agent, Gemini 3 Pro (SWE-bench Verified)",
    repository: "gruckion/mini-swe-agent",
    commit: "d12a71affd95403b036b2bdbd827349b77bfffb9",
    labelledBy: "swebench_results/20251118_gemini-3-pro-74pct/results_summary.json: resolved",
    heldOut: true,
    runs: miniVerifiedRuns,
  },
  {
    ...toolOrchestra,
    name: "tau2-airline-orchestra",
    agent: "ToolOrchestra, GPT-5 (tau2-bench airline)",
    heldOut: true,
    runs: (repository) => tau2Simulations(repository, `${orchestraFolder}toolorchestra_airline`),
  },
  {
    ...toolOrchestra,
    name: "tau2-retail-orchestra",
    agent: "ToolOrchestra, GPT-5 (tau2-bench retail)",
    heldOut: true,
    runs: (repository) => tau2Simulations(repository, `${orchestraFolder}toolorchestra_retail`),
  },
  {
    ...agentVerify,
    name: "tau-retail-tools",
    agent: "tau-bench tool calling (retail, with and without advice; the source names no model)",
    heldOut: true,
    runs: (repository) => tauBenchTrajectories(repository, "final_results/tool-calling-"),
  },
  {
    ...agentVerify,
    name: "tau-retail-assertions",
    agent: "tau-bench agent with assertions (retail, two versions; the source names no model)",
    heldOut: true,
    runs: (repository) => tauBenchTrajectories(repository, "final_results/assertions-agent-"),
  },
  {
    name: "tau2-retail-solo",
    agent: "Claude Code with Sonnet 4.6 and Haiku 4.5 (tau2-bench retail, one order, three settings)",
    repository: "codesque16/tau2-mermaid",
    commit: "6c0f8a540ce9c40173c376cf7c614b3e444af905",
    labelledBy: "results/<setting>/eval_results.json: db_match",
    heldOut: true,
    runs: (repository) =>
      tau2SoloSessions(repository, [
        "sonnet_run_complete_dataset",
        "haiku_run_complete_dataset",
        "haiku_base_solo_complete_dataset",
      ]),
  },
];

async function* miniVerifiedRuns(repository: BareRepository): AsyncGenerator<LabelledRun> {
  const folder = "swebench_results/20251118_gemini-3-pro-74pct/";
  const summary = await repository.json<{
    readonly instances: readonly { readonly instance_id: string; readonly resolved: boolean }[];
  }>(`${folder}results_summary.json`);
  for (const { instance_id: task, resolved } of summary?.instances ?? []) {
    const log = await repository.json(`${folder}trajs/${task}/${task}.traj.json`);
    if (log === null) continue;
    yield { name: task, log, task, group: projectOf(task), label: resolved ? 1 : 0 };
  }
}

async function* sweAgentRuns(repository: BareRepository): AsyncGenerator<LabelledRun> {
  for (const run of ["cost_2_1", "cost_2_2", "cost_2_3"]) {
    const folder = `results/swe-agent-results/${run}/`;
    const report = await repository.json<{ readonly resolved: readonly string[] }>(
      `${folder}final_report.json`,
    );
    const resolved = new Set(report?.resolved ?? []);
    for (const path of repository.paths(folder, ".traj")) {
      const log = await repository.json(path);
      if (log === null) continue;
      const task = path.slice(folder.length, -".traj".length);
      yield { name: `${run}-${task}`, log, task, group: projectOf(task), label: resolved.has(task) ? 1 : 0 };
    }
  }
}

async function* liveSweAgentRuns(repository: BareRepository): AsyncGenerator<LabelledRun> {
  const folder = "results/llm-ablation/";
  const resolved = new Map<string, boolean>();
  for (const path of repository.paths(folder, "/report.json")) {
    const report = await repository.json<Record<string, { readonly resolved?: boolean }>>(path);
    for (const [task, { resolved: won }] of Object.entries(report ?? {})) resolved.set(task, won === true);
  }
  for (const path of repository.paths(folder, ".traj.json")) {
    const log = await repository.json<{ info?: Record<string, unknown> }>(path);
    if (log === null) continue;
    const task = path.slice(path.lastIndexOf("/") + 1, -".traj.json".length);
    yield { name: task, log, task, group: projectOf(task), label: resolved.get(task) === true ? 1 : 0 };
  }
}

/** `django__django-10914` → `django__django`. */
export function projectOf(task: string): string {
  return task.replace(/-\d+$/, "");
}
