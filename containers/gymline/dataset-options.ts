import type { Command } from "commander";
import { type DatasetRequest, datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import { NEAR } from "../../shared/curation/near-duplicates.ts";
import { TARGET_IDS, targetOf } from "../../shared/dataset/targets/targets.ts";
import { collect } from "./options.ts";
import { UsageError } from "./usage-error.ts";

/** Options that shape a dataset. */
export interface DatasetOptions {
  readonly target?: string;
  readonly parquet?: boolean;
  readonly jsonl?: boolean;
  readonly shardRows?: string;
  readonly compat?: string;
  readonly name?: string;
  readonly success?: string;
  readonly minScore?: string;
  readonly minGdi?: string;
  readonly onlyDomain?: string;
  readonly project?: string;
  readonly agent?: string;
  readonly model?: string;
  readonly perTask?: string;
  readonly limit?: string;
  readonly nearDuplicates?: string | true;
  readonly against?: readonly string[];
  readonly maxDomainShare?: string;
  readonly balance?: string;
  readonly shares?: string;
  readonly tokenizer?: string;
  readonly minTokens?: string;
  readonly maxTokens?: string;
  readonly tokenBudget?: string;
  readonly order?: string;
  readonly minSteps?: string;
  readonly maxSteps?: string;
  readonly createdAfter?: string;
  readonly createdBefore?: string;
  readonly seed?: string;
  readonly split?: string;
  readonly splitBy?: string;
  readonly rowTokens?: string;
  readonly allow?: readonly string[];
}

export function datasetOptions(command: Command): Command {
  return command
    .option("-n, --name <name>", "name of the dataset (default: the kind of its target, such as sft)")
    .option("-t, --target <name>", "trainer it is for, such as trl, verl or trl-dpo (default: trl)")
    .option("--parquet", "write Parquet (default: what the target's trainer reads)")
    .option("--jsonl", "write JSON Lines")
    .option("--compat <name>", "knowlyr: rows as knowlyr-gym writes them; target sft, dpo, grpo or benchmark")
    .option("--shard-rows <n>", "begin another file after so many rows")
    .option(
      "--success <list>",
      "verdicts that count: true, false, unknown, or any (default: true for SFT targets, any for others)",
    )
    .option("--min-score <x>", "least total reward, 0 to 1")
    .option("--min-gdi <x>", "least GDI (reward, use, feedback and freshness in one), 0 to 1")
    .option("--only-domain <name>", "this domain only")
    .option("--project <label>", "this project only")
    .option("--agent <name>", "this agent only")
    .option("--model <name>", "this model only")
    .option("--per-task <n>", "at most so many trajectories of one task, the best first")
    .option("--limit <n>", "at most so many trajectories, the best first")
    .option("--near-duplicates [x]", "leave out what is at least so similar to a better one (default: 0.85)")
    .option(
      "--against <file>",
      "leave out tasks of this evaluation set: .jsonl, .json or .txt (may be given several times)",
      collect,
    )
    .option("--max-domain-share <x>", "no domain makes up more than this share of the rows, 0 to 1")
    .option("--balance <by>", "domain or difficulty: equal shares of the rows, as --limit and supply allow")
    .option("--shares <list>", "shares of --balance by weight, such as coding=2,browser=1; others stay out")
    .option("--tokenizer <folder>", "count tokens by this Hugging Face tokenizer (default: an estimate)")
    .option("--min-tokens <n>", "at least so many tokens")
    .option("--max-tokens <n>", "at most so many tokens, such as the length that is trained on")
    .option("--token-budget <n>", "at most so many tokens in all")
    .option("--order <by>", "best, gdi, easy-first or short-first (default: best)")
    .option("--min-steps <n>", "at least so many steps of the agent")
    .option("--max-steps <n>", "at most so many steps of the agent")
    .option("--created-after <time>", "came into the store then or later: 2026-01-31, 2026-01-31T12:00:00Z")
    .option("--created-before <time>", "came into the store earlier")
    .option("--split <shares>", "train/validation/test, such as 0.8/0.1/0.1 (default: 0.9/0.1/0)")
    .option("--split-by <what>", "task or repository: what stays together in one split (default: task)")
    .option("--seed <n>", "seed of the split (default: 42)")
    .option("--row-tokens <n>", "a row of more tokens fails the set: what the trainer takes at most")
    .option("--allow <check>", "let a check find something, see docs/QUALITY.md (may be repeated)", collect);
}

/** The request of the configuration file with what the command line says over it. @throws UsageError */
export function datasetRequest(base: DatasetRequest, options: DatasetOptions): DatasetRequest {
  const target = targetName(options);
  const given = {
    name: options.name ?? ownName(base, target),
    target,
    files: fileFormat(options),
    shardRows: numeric("--shard-rows", options.shardRows),
    success: options.success === undefined ? undefined : verdicts(options.success),
    minReward: numeric("--min-score", options.minScore),
    minGdi: numeric("--min-gdi", options.minGdi),
    domain: options.onlyDomain,
    project: options.project,
    agent: options.agent,
    model: options.model,
    perTask: numeric("--per-task", options.perTask),
    limit: numeric("--limit", options.limit),
    dedup:
      options.nearDuplicates === undefined
        ? undefined
        : {
            near:
              options.nearDuplicates === true ? NEAR : numeric("--near-duplicates", options.nearDuplicates),
          },
    against: options.against === undefined ? undefined : [...(base.against ?? []), ...options.against],
    mix: mixOf(base.mix, options),
    minSteps: numeric("--min-steps", options.minSteps),
    maxSteps: numeric("--max-steps", options.maxSteps),
    tokenizer: options.tokenizer,
    minTokens: numeric("--min-tokens", options.minTokens),
    maxTokens: numeric("--max-tokens", options.maxTokens),
    createdAfter: options.createdAfter,
    createdBefore: options.createdBefore,
    checks: checksOf(base.checks, options),
    split: { ...base.split, ...shares(options.split), ...seedOf(options.seed), ...splitByOf(options) },
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const result = datasetRequestSchema.safeParse({ ...base, ...set });
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new UsageError(`the dataset cannot be made like this: ${faults.join("; ")}`);
}

/** Where nobody named the dataset, it is called after what it is for. */
function ownName({ name, target: configured }: DatasetRequest, asked: string | undefined): string {
  const target = TARGET_IDS.find((id) => id === (asked ?? configured));
  return name === "sft" && target !== undefined ? targetOf(target).kind : name;
}

function targetName({ target, compat }: DatasetOptions): string | undefined {
  if (compat === undefined) return target;
  if (compat !== "knowlyr") throw new UsageError(`--compat takes knowlyr, not "${compat}"`);
  const kind = target ?? "sft";
  if (["sft", "dpo", "grpo", "benchmark"].includes(kind)) return `knowlyr-${kind}`;
  throw new UsageError(`with --compat knowlyr, --target is sft, dpo, grpo or benchmark, not "${kind}"`);
}

function fileFormat({ parquet, jsonl }: DatasetOptions): DatasetRequest["files"] {
  if (parquet === true && jsonl === true) throw new UsageError("--parquet and --jsonl exclude each other");
  if (parquet === true) return "parquet";
  return jsonl === true ? "jsonl" : undefined;
}

function mixOf(base: DatasetRequest["mix"], options: DatasetOptions): object | undefined {
  const given = {
    maxDomainShare: numeric("--max-domain-share", options.maxDomainShare),
    balance: options.balance,
    shares: weights(options.shares),
    tokenBudget: numeric("--token-budget", options.tokenBudget),
    order: options.order,
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return set.length === 0 ? undefined : { ...base, ...Object.fromEntries(set) };
}

function checksOf(base: DatasetRequest["checks"], { rowTokens, allow }: DatasetOptions): object | undefined {
  const maxTokens = numeric("--row-tokens", rowTokens);
  if (maxTokens === undefined && allow === undefined) return undefined;
  return {
    ...base,
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(allow === undefined ? {} : { allow: [...new Set([...(base?.allow ?? []), ...allow])] }),
  };
}

function verdicts(text: string): DatasetRequest["success"] {
  if (text === "any") return ["true", "false", "unknown"];
  const parts = text.split(",").map((part) => part.trim());
  return parts.map((part) => {
    if (part === "true" || part === "false" || part === "unknown") return part;
    throw new UsageError(`--success takes true, false, unknown or any, separated by commas; not "${part}"`);
  });
}

export function numeric(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new UsageError(`${option} takes a number, not "${text}"`);
  return value;
}

function shares(text: string | undefined): Partial<DatasetRequest["split"]> {
  if (text === undefined) return {};
  const [train, validation = 0, test = 0, ...rest] = text
    .split("/")
    .map((part) => numeric("--split", part) ?? 0);
  if (rest.length > 0) throw new UsageError(`--split takes at most three shares, such as 0.8/0.1/0.1`);
  return { train: train ?? 0, validation, test };
}

function splitByOf({ splitBy }: DatasetOptions): Partial<DatasetRequest["split"]> {
  if (splitBy === undefined) return {};
  if (splitBy === "task" || splitBy === "repository") return { by: splitBy };
  throw new UsageError(`--split-by takes task or repository, not "${splitBy}"`);
}

function weights(text: string | undefined): Readonly<Record<string, number>> | undefined {
  if (text === undefined) return undefined;
  const pairs = text.split(",").map((part) => {
    const [, name, value] = /^\s*([^=]+?)\s*=\s*(.*)$/.exec(part) ?? [];
    if (name === undefined) {
      throw new UsageError(`--shares takes names with weights, such as coding=2,browser=1; not "${part}"`);
    }
    return [name, numeric("--shares", value) ?? 0] as const;
  });
  return Object.fromEntries(pairs);
}

function seedOf(text: string | undefined): Partial<DatasetRequest["split"]> {
  const seed = numeric("--seed", text);
  return seed === undefined ? {} : { seed };
}
