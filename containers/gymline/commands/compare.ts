import type { Command } from "commander";
import type { CompareOptions } from "../compare-run.ts";
import { collect, examples, readingOptions } from "../options.ts";

export function addCompare(program: Command): void {
  const command = program
    .command("compare")
    .description(
      "put scores side by side: of logs, of stored trajectories, of two groups task by task; or agents of evaluations",
    )
    .argument("[paths...]", "files and folders of agent logs")
    .option("-i, --id <id>", "a trajectory of the store (may be given several times)", collect)
    .option(
      "--a <group>",
      "first group: agent, model, domain, project, format, task or store, as agent=x,model=y",
    )
    .option("--b <group>", "second group")
    .option(
      "-e, --evaluation <file|id>",
      "agents of an evaluation, or of several of the same tasks and seed (may be given several times)",
      collect,
    )
    .option(
      "--metric <name>",
      "what groups are compared by: reward (default), success or process; of evaluations, as gymline evaluate takes it",
    )
    .option("--level <x>", "confidence level (default: 0.95, or that of the evaluation)")
    .option("--seed <n>", "seed of resampling (default: 42, or that of the evaluation)")
    .option("--correction <name>", "of evaluations: holm, bonferroni, benjamini-hochberg or none")
    .option("--test <name>", "of evaluations, on tasks' means: sign-flip, paired-t or wilcoxon")
    .option(
      "--report <file>",
      "of evaluations: write a report, .html or .md (may be given several times)",
      collect,
    )
    .option("--markdown", "of evaluations: print Markdown instead of text")
    .option("-s, --store <dir>", "folder of the store", "out")
    .option("-d, --domain <name|file>", "score logs by this domain")
    .option("--json", "print JSON");
  readingOptions(command);
  examples(command, [
    "gymline compare first.traj second.traj",
    "gymline compare --id 3f2a91 --id c07d44 --store out",
    'gymline compare --a "agent=old" --b "agent=new" --metric success',
    'gymline compare --a "store=before" --b "store=after"',
    "gymline compare --evaluation 3f2a91 --evaluation c07d44 --report report.html",
  ]).action(run);
}

/** What it needs takes a while to load, which other commands need not wait for. */
async function run(paths: readonly string[], options: CompareOptions): Promise<void> {
  const { compare } = await import("../compare-run.ts");
  await compare(paths, options);
}
