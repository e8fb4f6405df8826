import type { Command } from "commander";
import { examples } from "../options.ts";
import type { PreferenceOptions } from "../preference-options.ts";

export function addPreferences(program: Command): void {
  const command = program
    .command("preferences")
    .description("pair attempts at the same task into better and worse ones, for DPO and reward models")
    .argument("[file]", "rewards by task, {task: [{id, reward, …}]}, instead of a store")
    .option("-s, --store <dir>", "folder of the store (default: out)")
    .option(
      "--strategy <name>",
      "outside-in, all-pairs, or branches: steps at which attempts part",
      "outside-in",
    )
    .option("--margin <x>", "least difference of the rewards (default: 0.05)")
    .option("--ties <rule>", "equal rewards: never, or first-wins (default: never)")
    .option("--per-task <n>", "at most so many pairs of one task, the widest margins first")
    .option("--verified", "the chosen one succeeded and the rejected one failed, by the log's verdict")
    .option("--max-length-ratio <x>", "leave out pairs whose longer attempt has more than x times the steps")
    .option(
      "--max-longer-share <x>",
      "at most this share of pairs may have the longer attempt as the chosen one",
    )
    .option("--mixed-layers", "also compare rewards of different layers, such as with and without an outcome")
    .option("--min-runs <n>", "with branches: least number of attempts through each step (default: 1)")
    .option(
      "--votes [file]",
      "let votes on pairs go before rewards: those of the store, or JSON Lines in a file",
    )
    .option("--min-votes <n>", "votes of the store count where a pair has so many (default: 1)")
    .option("--project <label>", "this project only")
    .option("--only-domain <name>", "this domain only")
    .option("--agent <name>", "this agent only")
    .option("--model <name>", "this model only")
    .option("--source-format <name>", "this log format only")
    .option("--task <id>", "attempts at this task only")
    .option("--with-messages", "put the conversations into the rows")
    .option("-o, --out <file>", "write the pairs to this file, one JSON object a line")
    .option("--json", "print the pairs as JSON, one a line; with --out the summary");
  examples(command, [
    "gymline preferences --store out --out pairs.jsonl",
    "gymline preferences --strategy all-pairs --per-task 4 --verified --max-longer-share 0.5 --json",
    "gymline preferences --strategy branches --min-runs 2 --with-messages --out steps.jsonl",
    "gymline preferences --votes --min-votes 2 --out pairs.jsonl",
    "gymline preferences rewards.json --margin 0.1",
  ]).action(run);
}

/** What it needs takes a while to load, which other commands need not wait for. */
async function run(file: string | undefined, options: PreferenceOptions): Promise<void> {
  const { preferences } = await import("../preferences-run.ts");
  await preferences(file, options);
}
