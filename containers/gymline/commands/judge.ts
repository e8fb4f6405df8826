import type { Command } from "commander";
import type { JudgeOptions } from "../judge-run.ts";
import { examples, storeOption } from "../options.ts";
import { selectionOptions } from "../selection-options.ts";

export function addJudge(program: Command): void {
  const command = program
    .command("judge")
    .description("have a model score the steps of stored trajectories; scores them anew")
    .argument("[ids...]", "these trajectories only, whatever the gate says; first digits will do")
    .option("--dry-run", "say what it would cost; makes no call and needs no key")
    .option("--direct", "answers now, at the full price (default: batches, where the provider has them)")
    .option("--collect", "take in batches that have ended, and submit nothing")
    .option("--wait", "wait for the batches to end; may be stopped and started again")
    .option("--poll <seconds>", "how often --wait looks", "30")
    .option("--status", "open batches and what was spent today")
    .option("--abandon <submission>", "give up a batch whose answers are lost")
    .option("--pairs <file>", "compare pairs of a JSON Lines file, each both ways round, instead")
    .option("--out <file>", "where the verdicts of --pairs go; a file that is there is gone on with")
    .option(
      "--repeat <n>",
      "judge a sample (--limit, default 20) n times and say how far the judge agrees with itself",
    )
    .option("--seed <n>", "draws the sample of --repeat", "42")
    .option("--provider <name>", "anthropic or openai-compatible")
    .option("--model <name>", "the model that judges")
    .option("--base-url <url>", "address of the provider, for gateways and local models")
    .option("--samples <n>", "answers per question; their mean counts")
    .option("--per-step", "one step a call: dearer, and each step for itself")
    .option("--band <low..high>", "only rewards in this band, and a share of the others; or all")
    .option("--share <x>", "share of the others that is judged all the same (default: 0.05)")
    .option("--limit <n>", "at most so many trajectories")
    .option("--max-usd <x>", "spend at most this much in this run")
    .option("--retry", "also where windows failed last time")
    .option("--again", "also what is judged already; answers in the cache cost nothing")
    .option("-d, --domain <name|file>", "judge everything by the rubrics of this domain")
    .option("-c, --config <file>", "configuration file (default: ./gymline.json, if there is one)")
    .option("--json", "print JSON");
  selectionOptions(storeOption(command), { model: "--agent-model" });
  examples(command, [
    "gymline judge --dry-run --band 0.3..0.7",
    "gymline judge --band 0.3..0.7 --max-usd 2        # submits a batch",
    "gymline judge --collect                          # later: takes its answers in",
    "gymline judge 3f2a91 --direct --samples 3",
    "gymline judge --repeat 3 --limit 30",
    "gymline judge --pairs pairs.jsonl --out verdicts.jsonl",
    "gymline judge --direct --provider openai-compatible --base-url http://localhost:8000/v1 --model qwen3",
  ]).action(run);
}

/** What it needs takes a while to load, which other commands need not wait for. */
async function run(ids: readonly string[], options: JudgeOptions): Promise<void> {
  const { judge } = await import("../judge-command.ts");
  await judge(ids, options);
}
