import type { Command } from "commander";
import type { CollectCommandOptions } from "../collect-settings.ts";
import { examples, collect as several } from "../options.ts";

export function addCollect(program: Command): void {
  const command = program
    .command("collect")
    .description("let an agent attempt tasks in an environment; drops its trajectories for gymline run")
    .option("--env <id>", "environment, such as gymline/sandbox-v1")
    .option("--env-options <json|file>", "options of the environment, as JSON or a file of it")
    .option(
      "--env-module <module>",
      "module that registers environments (may be given several times)",
      several,
    )
    .option(
      "--agent <name>",
      "anthropic, openai-compatible, onnx, random, scripted:<file>, mini-swe-agent or bridge:<file.json>",
    )
    .option("--model <name>", "the model that acts; for onnx the folder of an exported model")
    .option("--base-url <url>", "address of the provider, for gateways and local models")
    .option("--api-key-variable <name>", "environment variable that holds the key")
    .option("--tasks <file>", "JSON Lines of tasks, or rows of SWE-bench")
    .option("--repos <dir>", "clones for rows of SWE-bench, each in a folder <owner>__<name>")
    .option(
      "--backend <name>",
      "where sandboxes run: docker (default); process (bubblewrap, weaker); process-unisolated (trusted programs only)",
    )
    .option("--ids <list>", "these tasks only, separated by commas")
    .option("--domain <list>", "tasks of these domains only")
    .option("--difficulty <list>", "tasks of these difficulties only")
    .option("--language <list>", "tasks of these languages only")
    .option("--sample <n>", "so many tasks, drawn by --seed")
    .option("--limit <n>", "at most so many tasks")
    .option("--n <count>", "attempts at each task (default: 1)")
    .option("--parallel <count>", "episodes under way at a time (default: 1)")
    .option("--out <dir>", "drop folder", "drop")
    .option("--run <name>", "name of the run (default: made from the time)")
    .option("--resume <run>", "go on with this run: what is missing and what failed")
    .option("--seed <n>", "seed of the run (default: one drawn, which the run tells)")
    .option("--max-steps <n>", "answers of the agent in an episode (default: 50)")
    .option("--timeout <seconds>", "time of an episode")
    .option("--max-cost <usd>", "cost of an episode")
    .option("--max-run-cost <usd>", "begin no episode once the run has cost this much")
    .option(
      "--max-failures <n>",
      "end the run after so many failed episodes in a row; 0: never (default: 10)",
    )
    .option("--temperature <x>", "of the model; some take none")
    .option("--top-p <x>", "onnx: draw among the likeliest tokens that together reach this share")
    .option("--top-k <n>", "onnx: draw among the so many likeliest tokens")
    .option("--precision <name>", "onnx: fp32 or q4 (default: fp32, if it is there)")
    .option(
      "--tool-syntax <name>",
      "onnx: hermes, llama, mistral, qwen-xml, action or none (default: told from the chat template)",
    )
    .option("--answer-tokens <n>", "most tokens of an answer, thinking among them (default: 8192)")
    .option("--thinking <tokens|adaptive>", "let an Anthropic model think")
    .option("--context <tokens>", "size of the model's context, to make room ahead of time")
    .option("--on-overflow <what>", "stop, or forget the oldest results (default: stop)")
    .option("--tokens", "record exact tokens and log-probs (vLLM; onnx always does)")
    .option("--system <file>", "system prompt of the agent, in place of its own")
    .option(
      "-c, --config <file>",
      "configuration file, for prices (default: ./gymline.json, if there is one)",
    )
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
