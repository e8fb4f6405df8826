import { createHash } from "node:crypto";
import { z } from "zod";
import type { CatalogRow } from "../contracts/catalog-row.ts";
import { repositoryName } from "../curation/decontaminate.ts";

/** Shares of the splits; they add up to 1. A share of 0 leaves the split out. */
export const splitSchema = z
  .strictObject({
    train: z.number().min(0).max(1).default(0.9),
    validation: z.number().min(0).max(1).default(0.1),
    test: z.number().min(0).max(1).default(0),
    seed: z.int().default(42),
    /**
     * What stays together: all attempts at a task (where nothing is said), or all tasks of a repository, at whatever
     * commit; a task without a repository stays by itself then.
     */
    by: z.enum(["task", "repository"]).optional(),
  })
  .superRefine(({ train, validation, test }, context) => {
    const sum = train + validation + test;
    if (Math.abs(sum - 1) < 1e-9) return;
    const message = `the shares of train, validation and test must add up to 1; they add up to ${Number(sum.toFixed(6))}`;
    context.addIssue({ code: "custom", message });
  });

export type SplitConfig = z.infer<typeof splitSchema>;
export type SplitName = "train" | "validation" | "test";

/** In the order in which files and reports list them. */
export const SPLIT_NAMES: readonly SplitName[] = ["train", "validation", "test"];

/**
 * The split that a task (or repository, see `SplitKeys`) belongs to: a hash of seed and key, so all attempts at one task
 * stand in one split, whatever else the set holds, and a task stays where it is when the set grows.
 */
export function splitOf(key: string, config: SplitConfig): SplitName {
  const digest = createHash("sha256").update(`${config.seed}\n${key}`).digest();
  const point = digest.readUIntBE(0, 6) / 2 ** 48;
  const names = (["train", "validation", "test"] as const).filter((name) => config[name] > 0);
  let upTo = 0;
  for (const name of names) {
    upTo += config[name];
    if (point < upTo) return name;
  }
  return names.at(-1) ?? "train";
}

/** By which key a task is split: itself, or its repository, which some attempts at it name and others may not. */
export class SplitKeys {
  readonly #byRepository: boolean;
  readonly #repositories = new Map<string, string>();

  constructor({ by }: Pick<SplitConfig, "by">) {
    this.#byRepository = by === "repository";
  }

  note({ taskKey, taskId, repo }: Pick<CatalogRow, "taskKey" | "taskId" | "repo">): void {
    if (!this.#byRepository) return;
    const name = repo === null ? repositoryOfTask(taskId) : withoutCommit(repositoryName(repo));
    if (name === undefined || name === "") return;
    const known = this.#repositories.get(taskKey);
    // Attempts that name two repositories are rare; whatever order they come in, the same one is taken.
    if (known === undefined || name < known) this.#repositories.set(taskKey, name);
  }

  of(taskKey: string): string {
    const repository = this.#repositories.get(taskKey);
    return repository === undefined ? taskKey : `repository:${repository}`;
  }
}

/** `owner/name@commit` and `owner/name/tree/commit` are `owner/name`. */
function withoutCommit(name: string): string {
  return name.replace(/(?:@|\/(?:tree|commit|blob)\/).*$/, "").replace(/\.git$/, "");
}

/** Tasks of SWE-bench and its like are named `owner__name-number`. */
function repositoryOfTask(taskId: string | null): string | undefined {
  const [, owner, name] = /^([\w.-]+?)__([\w.-]+)-\d+$/.exec(taskId ?? "") ?? [];
  return owner === undefined || name === undefined ? undefined : `${owner}/${name}`.toLowerCase();
}
