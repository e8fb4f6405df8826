import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface RepairRepository {
  readonly repo: string;
  /** The commit with the fault. */
  readonly base: string;
  /** A later one, which mends it: nobody who starts at `base` may see it. */
  readonly fixed: string;
}

const BROKEN = "def mean(values):\n    return sum(values) / (len(values) + 1)\n";
const TEST = "from stats import mean\n\n\ndef test_mean():\n    assert mean([1, 2, 3]) == 2\n";

/** A real small repository with a fault, a test that shows it, and a later commit that mends it. */
export function repairRepository(folder: string): RepairRepository {
  const repo = join(folder, "stats repo");
  mkdirSync(repo, { recursive: true });
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", repo, "-c", "user.name=a", "-c", "user.email=a@b.c", ...args], {
      encoding: "utf8",
    }).trim();
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(join(repo, "README.md"), "Statistics\n");
  git("add", ".");
  git("commit", "--quiet", "-m", "begin");
  writeFileSync(join(repo, "stats.py"), BROKEN);
  writeFileSync(join(repo, "test_stats.py"), TEST);
  git("add", ".");
  git("commit", "--quiet", "-m", "mean");
  const base = git("rev-parse", "HEAD");
  writeFileSync(join(repo, "stats.py"), BROKEN.replace("(len(values) + 1)", "len(values)"));
  git("commit", "--quiet", "-a", "-m", "SECRET FIX");
  git("tag", "v2");
  return { repo, base, fixed: git("rev-parse", "HEAD") };
}

/** The change that mends it, as a call of the tool `edit`. */
export const FIX = {
  tool: "edit",
  params: { path: "stats.py", old: "(len(values) + 1)", new: "len(values)" },
} as const;

/** Tests that the agent does not see. */
export const HIDDEN_TESTS = {
  "test_stats.py": `${TEST}\n\ndef test_one():\n    assert mean([5]) == 5\n`,
} as const;
