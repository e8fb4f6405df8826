import { realpath } from "node:fs/promises";
import { withLock } from "../../infra/local/folder-lock.ts";
import { madeOnce, NO_INDEX, pipInstall } from "../../infra/local/pip-install.ts";

/**
 * Packages in a folder beside an environment, for what must not go into it: other versions of what it has, or packages
 * that ask for other versions. The folder, kept for the next run, is for `PYTHONPATH`.
 * @returns why there are none, where the package index cannot be reached
 */
export async function packagesBeside(of: {
  readonly python: string;
  readonly folder: string;
  /** The arguments of each `pip install`, in order. */
  readonly installs: readonly (readonly string[])[];
}): Promise<string | undefined> {
  const { python, folder, installs } = of;
  const stamp = JSON.stringify([await realpath(python), installs]);
  const targets = installs.map((packages) => ["--upgrade", "--target", folder, ...packages]);
  const make = (): Promise<void> => pipInstall(python, targets);
  const made = await withLock(`${folder}.lock`, () => madeOnce({ folder, stamp, make }));
  return made ? undefined : NO_INDEX;
}
