import type { Command } from "commander";
import type { LeaderboardCommandOptions } from "../leaderboard-run.ts";
import { collect, examples, storeOption } from "../options.ts";

export function addLeaderboard(program: Command): void {
  const command = program
    .command("leaderboard")
    .description("rank agents, models, domains or tasks of a store, and say which neighbours really differ")
    .option("--by <fields>", "agent, model, domain or task; several with commas", "agent,model")
    .option(
      "--metric <name>",
      "reward (default), success or process; of evaluations, as gymline evaluate takes it",
    )
    .option("--min-n <n>", "groups with fewer runs are listed without a rank", "5")
    .option("--level <x>", "confidence level (default: 0.95, or that of the evaluation)")
    .option("--seed <n>", "seed of resampling (default: 42, or that of the evaluation)")
    .option(
      "-e, --evaluation <file|id>",
      "rank the agents of an evaluation instead, or of several of the same tasks and seed",
      collect,
    )
    .option("--project <label>", "this project only")
    .option("--only-domain <name>", "this domain only")
    .option("--agent <name>", "this agent only")
    .option("--model <name>", "this model only")
    .option("--source-format <name>", "this log format only")
    .option("--task <id>", "attempts at this task only")
    .option("--json", "print JSON");
  storeOption(command);
  examples(command, [
    "gymline leaderboard --store out",
    "gymline leaderboard --by model --metric success --min-n 20",
    "gymline leaderboard --by task --json | jq '.ranked[-1]'",
    "gymline leaderboard --evaluation 3f2a91 --evaluation c07d44 --metric return-per-step",
  ]).action(run);
}

/** What it needs takes a while to load, which other commands need not wait for. */
async function run(options: LeaderboardCommandOptions): Promise<void> {
  const { rankGroups } = await import("../leaderboard-run.ts");
  await rankGroups(options);
}
