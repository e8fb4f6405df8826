import { SandboxError } from "../ports/sandbox.ts";

const MAX_PATH = 4096;

/**
 * A path below the workspace, as names joined by `/`, of what a user or an agent wrote: relative, or absolute and
 * inside the workspace. The text alone is judged; links are looked at where the files are.
 *
 * @throws SandboxError (`refused`) where it leads out, names the workspace itself, or is no path
 */
export function confinedPath(path: string, workspace: string): string {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  const refuse = (why: string): SandboxError =>
    new SandboxError(`the path ${JSON.stringify(shown)} ${why}; give one below ${workspace}`, {
      reason: "refused",
    });
  if (path.includes("\0") || !path.isWellFormed()) throw refuse("holds characters that no path can have");
  if (path.length > MAX_PATH) throw refuse(`is longer than ${MAX_PATH} characters`);
  const absolute = path.startsWith("/");
  const base = workspace.split("/").filter((name) => name !== "");
  const names = normal(absolute ? path : `${workspace}/${path}`);
  if (names === undefined || base.some((name, index) => names[index] !== name)) throw refuse("leads out");
  const below = names.slice(base.length);
  if (below.length === 0) throw refuse("names the workspace itself");
  return below.join("/");
}

/** Names after `.` and `..` are worked out; undefined where it climbs above the root. */
function normal(path: string): readonly string[] | undefined {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.pop() === undefined) return undefined;
  }
  return names;
}
