import type { Command } from "commander";
import type { Selection } from "../../shared/ports/catalog.ts";
import { UsageError } from "./usage-error.ts";

/** Which trajectories of a store a command is about. */
export interface SelectionOptions {
  readonly project?: string;
  readonly onlyDomain?: string;
  readonly agent?: string;
  readonly model?: string;
  readonly sourceFormat?: string;
  readonly task?: string;
  readonly success?: string;
  readonly minScore?: string;
}

/** `model`: name of the option for the agent's model, where `--model` means another. */
export function selectionOptions(command: Command, { model = "--model" } = {}): Command {
  return command
    .option("--project <label>", "this project only")
    .option("--only-domain <name>", "this domain only")
    .option("--agent <name>", "this agent only")
    .option(`${model} <name>`, "runs of this model only")
    .option("--source-format <name>", "this log format only")
    .option("--task <id>", "attempts at this task only")
    .option("--success <verdict>", "true, false or unknown")
    .option("--min-score <x>", "least total reward");
}

/** @throws UsageError */
export function selectionOf(options: SelectionOptions): Selection {
  const { project, onlyDomain: domain, agent, model, sourceFormat: format, task, success } = options;
  if (success !== undefined && success !== "true" && success !== "false" && success !== "unknown") {
    throw new UsageError(`--success takes true, false or unknown, not "${success}"`);
  }
  const minReward = options.minScore === undefined ? undefined : Number(options.minScore);
  if (Number.isNaN(minReward)) throw new UsageError(`--min-score takes a number, not "${options.minScore}"`);
  return {
    ...(project === undefined ? {} : { project }),
    ...(domain === undefined ? {} : { domain }),
    ...(agent === undefined ? {} : { agent }),
    ...(model === undefined ? {} : { model }),
    ...(format === undefined ? {} : { format }),
    ...(task === undefined ? {} : { task }),
    ...(success === undefined ? {} : { success: [success] }),
    ...(minReward === undefined ? {} : { minReward }),
  };
}
