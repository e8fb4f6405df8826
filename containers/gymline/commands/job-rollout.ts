import type { Command } from "commander";
import { wholeNumber } from "../deployment.ts";

interface Options {
  readonly run: string;
  readonly store?: string;
  readonly drop?: string;
  readonly grace: string;
}

/** `gymline job rollout`: what jobs of a rollout run. Their share of it comes with AWS_BATCH_JOB_ARRAY_INDEX. */
export function addJobRollout(job: Command): void {
  job
    .command("rollout")
    .description("does what its shard of a rollout still lacks (docs/ROLLOUTS.md)")
    .requiredOption("--run <name>", "the rollout, whose plan is in the store")
    .option("--store <dir>", "folder in place of the deployment's store")
    .option("--drop <dir>", "folder in place of the deployment's drop bucket")
    .option("--grace <seconds>", "what episodes under way have to end once the job is to stop", "60")
    .action(async ({ grace, ...places }: Options) => {
      const { rolloutJob } = await import("../rollout-job.ts");
      process.exitCode = await rolloutJob({ ...places, grace: wholeNumber("--grace", grace) ?? 60 });
    });
}
