import type { Command } from "commander";
import type { CollectCommandOptions } from "../collect-settings.ts";
import { episodeOptions } from "../episode-options.ts";
import { examples } from "../options.ts";

export function addCollect(program: Command): void {
  const command = program
    .command("collect")
    .description("let an agent attempt tasks in an environment; drops its trajectories for gymline run");
  episodeOptions(command)
    .option("--repos <dir>", "clones for rows of SWE-bench, each in a folder <owner>__<name>")
    .option("--parallel <count>", "episodes under way at a time (default: 1)")
    .option("--out <dir>", "drop folder", "drop")
    .option("--resume <run>", "go on with this run: what is missing and what failed")
    .option("--max-run-cost <usd>", "begin no episode once the run has cost this much")
    .option("--deployment <name>", "upload to the drop bucket of this deployment as well")
    .option("--bucket <name>", "upload to this bucket as well")
    .option("--project <label>", "project label: the top folder of the logs (default: the name of the run)")
    .option("--dry-run", "say which episodes it would run, and run none")
    .option("--json", "print one JSON document instead of text")
    .option("-q, --quiet", "no progress");
  examples(command, [
    "gymline collect --env gymline/sandbox-v1 --agent anthropic --model claude-haiku-5-5 --tasks tasks.jsonl --out drop",
    "gymline collect … --n 8 --parallel 8 --max-cost 0.50 --max-run-cost 40      # groups for GRPO",
    "gymline collect … --tasks swe-bench.jsonl --difficulty easy,medium --sample 50 --seed 7",
    "gymline collect --resume 20260101-120000-3fa2 --out drop                    # what is missing, what failed",
    "gymline collect --env gymline/conversation-v1 --agent scripted:turns.json --tasks tasks.jsonl",
    "gymline collect --env gymline/conversation --agent onnx --model runs/sft/onnx --tasks tasks.jsonl --parallel 8",
    "gymline run drop --store out                                                # takes the trajectories in",
  ]).action(run);
}

/** What it needs takes a while to load, which other commands need not wait for. */
async function run(options: CollectCommandOptions, command: Command): Promise<void> {
  const { collectCommand } = await import("../collect-command.ts");
  const given = Object.keys(options).filter((name) => command.getOptionValueSource(name) === "cli");
  await collectCommand(options, given);
}
