import type { Command } from "commander";
import type { CompareOptions } from "../compare-run.ts";
import { collect, examples, readingOptions } from "../options.ts";

export function addCompare(program: Command): void {
  const command = program
    .command("compare")
    .description("put scores side by side: of logs, of stored trajectories, or of two groups task by task")
    .argument("[paths...]", "files and folders of agent logs")
    .option("-i, --id <id>", "a trajectory of the store (may be given several times)", collect)
    .option(
      "--a <group>",
      "first group: agent, model, domain, project, format, task or store, as agent=x,model=y",
    )
    .option("--b <group>", "second group")
    .option("--metric <name>", "what groups are compared by: reward, success or process", "reward")
    .option("--level <x>", "confidence level", "0.95")
    .option("--seed <n>", "seed of resampling", "42")
    .option("-s, --store <dir>", "folder of the store", "out")
    .option("-d, --domain <name|file>", "score logs by this domain")
    .option("--json", "print JSON");
  readingOptions(command);
  examples(command, [
    "gymline compare first.traj second.traj",
    "gymline compare --id 3f2a91 --id c07d44 --store out",
    'gymline compare --a "agent=old" --b "agent=new" --metric success',
    'gymline compare --a "store=before" --b "store=after"',
  ]).action(run);
}

/** What it needs takes a while to load, which other commands need not wait for. */
async function run(paths: readonly string[], options: CompareOptions): Promise<void> {
  const { compare } = await import("../compare-run.ts");
  await compare(paths, options);
}
