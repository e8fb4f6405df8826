import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Commit of the program that runs, for manifests: as GYMLINE_COMMIT says, else that of the repository that the program
 * lies in, with `-dirty` where files of it were changed. undefined: an installed package, whose version says it all.
 */
export function programCommit(): string | undefined {
  const given = process.env["GYMLINE_COMMIT"];
  if (given !== undefined && given !== "") return given;
  // The package may be installed below somebody else's repository, which is not the program's.
  const root = resolve(import.meta.dirname, "../..");
  if (!existsSync(join(root, ".git")) || !existsSync(join(root, "package.json"))) return undefined;
  const args = ["-C", root, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"];
  const git = spawnSync("git", args, { encoding: "utf8" });
  return git.status === 0 ? git.stdout.trim() : undefined;
}
