import type { Command } from "commander";
import { deploymentOption } from "../deployment.ts";
import { episodeOptions } from "../episode-options.ts";
import { examples } from "../options.ts";
import type { RolloutCommandOptions } from "../rollout-command.ts";

export function addRollout(program: Command): void {
  const command = program
    .command("rollout")
    .description("let an agent attempt tasks in Batch jobs of a deployment (docs/ROLLOUTS.md)");
  episodeOptions(
    deploymentOption(command).option("--cloud", "in Batch jobs; on this machine it is gymline collect"),
  )
    .option("--repos <dir>", "clones for rows of SWE-bench, each in a folder <owner>__<name>; they go along")
    .option("--shards <n>", "jobs that share the episodes (default: 1)")
    .option(
      "--parallel <count>",
      "episodes under way at a time in a job (default: as many as it has room for)",
    )
    .option("--max-run-cost <usd>", "a job begins no episode once it has cost this much")
    .option(
      "--gpu",
      "on GPUs, with a server of the deployment's model beside the agent; records exact tokens",
    )
    .option("--project <label>", "project label: the top folder of the logs (default: default)")
    .option("--resume <run>", "submit this rollout again: what is missing and what failed")
    .option("--status <run>", "how far this rollout is")
    .option("--wait", "follow it to its end")
    .option("--poll <seconds>", "how often --wait looks", "10")
    .option("--dry-run", "show plan and episodes, and submit nothing")
    .option("--json", "print one JSON document instead of text")
    .option("-q, --quiet", "no progress");
  examples(command, [
    "gymline rollout --cloud --env gymline/sandbox-v1 --agent anthropic --model claude-haiku-5-5 --tasks tasks.jsonl --n 8 --shards 16 --wait",
    "gymline rollout --cloud --gpu --env gymline/sandbox-v1 --agent openai-compatible --model Qwen/Qwen3-8B --tasks tasks.jsonl --n 8",
    "gymline rollout --cloud --env gymline/conversation-v1 --agent onnx --model models/agent/3fa2c0ffee12 --tasks held-out.jsonl",
    "gymline rollout --cloud --status 20260101-120000-3fa2",
    "gymline rollout --cloud --resume 20260101-120000-3fa2 --wait                # what is missing, what failed",
  ])
    .addHelpText(
      "after",
      "\nWith --wait, exit code 0: all episodes are done; 2: some failed or are missing; 1: none is done.",
    )
    .action(run);
}

/** What it needs takes a while to load, which other commands need not wait for. */
async function run(options: RolloutCommandOptions, command: Command): Promise<void> {
  const { rolloutCommand } = await import("../rollout-command.ts");
  const given = Object.keys(options).filter((name) => command.getOptionValueSource(name) === "cli");
  await rolloutCommand(options, given);
}
