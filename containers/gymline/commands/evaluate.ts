import type { Command } from "commander";
import type { EvaluateCommandOptions } from "../evaluate-settings.ts";
import { collect, examples } from "../options.ts";

export function addEvaluate(program: Command): void {
  const command = program
    .command("evaluate")
    .description("let agents attempt the same tasks under the same seeds, and compare what came of it")
    .option("--env <id>", "environment, such as gymline/conversation-v1")
    .option("--env-options <json|file>", "options of the environment, as JSON or a file of it")
    .option(
      "--env-module <module>",
      "module that registers environments (may be given several times)",
      collect,
    )
    .option(
      "--agent <agent>",
      "an agent as gymline collect takes it, or <name>=<agent> (may be given several times)",
      collect,
    )
    .option("--agents <file>", "JSON list of agents: name, agent, and the options below that are its own")
    .option("--model <name>", "the model that acts, for every --agent; the same holds of what follows")
    .option("--base-url <url>", "address of the provider, for gateways and local models")
    .option("--api-key-variable <name>", "environment variable that holds the key")
    .option("--temperature <x>", "of the model; some take none")
    .option("--answer-tokens <n>", "most tokens of an answer, thinking among them (default: 8192)")
    .option("--thinking <tokens|adaptive>", "let an Anthropic model think")
    .option("--context <tokens>", "size of the model's context, to make room ahead of time")
    .option("--on-overflow <what>", "stop, or forget the oldest results (default: stop)")
    .option("--system <file>", "system prompt of the agent, in place of its own")
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
    .option("--n <count>", "attempts of each agent at each task (default: 1)")
    .option("--seed <n>", "base of the seeds of all episodes (default: 42)")
    .option("--parallel <count>", "episodes under way at a time (default: 1)")
    .option("--max-steps <n>", "answers of the agent in an episode (default: 50)")
    .option("--timeout <seconds>", "time of an episode")
    .option("--max-cost <usd>", "cost of an episode")
    .option("--max-run-cost <usd>", "begin no episode once all agents together have cost this much")
    .option(
      "--max-failures <n>",
      "go on to the next agent after so many failed episodes in a row; 0: never (default: 10)",
    )
    .option("--max-failed <share>", "share of an agent's episodes that may have failed or be missing", "0.05")
    .option(
      "--metric <name>",
      "what agents are ranked by: success, return, return-per-step, steps, cost-usd, seconds or violations",
      "success",
    )
    .option("--level <x>", "confidence level", "0.95")
    .option("--correction <name>", "of p-values: holm, bonferroni, benjamini-hochberg or none", "holm")
    .option("--test <name>", "of tasks' means: sign-flip, paired-t or wilcoxon", "sign-flip")
    .option("--out <dir>", "folder of the store that the evaluation goes into", "out")
    .option("--rollouts <dir>", "drop folder of the agents' logs (default: rollouts in --out)")
    .option("--label <text>", "takes new episodes where others of the same agent and tasks are there already")
    .option(
      "--report <file>",
      "write a report: .html (self-contained, with plots) or .md (may be given several times)",
      collect,
    )
    .option(
      "-c, --config <file>",
      "configuration file, for prices (default: ./gymline.json, if there is one)",
    )
    .option("--dry-run", "say which episodes it would run, and run none")
    .option("--markdown", "print Markdown instead of text")
    .option("--json", "print the evaluation as JSON instead of text")
    .option("-q, --quiet", "no progress");
  examples(command, [
    "gymline evaluate --env gymline/conversation-v1 --tasks tasks.jsonl --agent old=scripted:old.json --agent new=scripted:new.json",
    "gymline evaluate … --agents agents.json --n 5 --parallel 8 --report report.html",
    "gymline evaluate … --metric return --test paired-t --correction benjamini-hochberg",
    "gymline compare --evaluation 3f2a91 --store out                             # later, by the first of its id",
  ]).action(run);
}

/** What it needs takes a while to load, which other commands need not wait for. */
async function run(options: EvaluateCommandOptions): Promise<void> {
  const { evaluateCommand } = await import("../evaluate-command.ts");
  await evaluateCommand(options);
}
