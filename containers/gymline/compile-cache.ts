import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Keeps the compiled modules in the user's cache folder, which more than halves the time to start from the second
 * start on. `NODE_COMPILE_CACHE` names another folder, `NODE_DISABLE_COMPILE_CACHE=1` keeps nothing, and nothing is
 * kept where the folder cannot be written.
 */
export function keepCompiled(env: NodeJS.ProcessEnv): void {
  const folder = cacheFolder(env["XDG_CACHE_HOME"] ?? "");
  if (folder !== undefined) enableCompileCache(join(folder, "gymline", "compiled"));
}

function cacheFolder(named: string): string | undefined {
  if (named !== "") return named;
  try {
    return join(homedir(), ".cache");
  } catch {
    // A user without an entry in the machine's list has no home; a container may run as one.
    return undefined;
  }
}
