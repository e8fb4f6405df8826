import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { platform } from "node:process";

/**
 * When a process started, in whatever words the system has for it; null where it is gone. Together with the id it
 * tells a process from a later one that was given the same id.
 */
export function processStart(pid: number): string | null {
  try {
    if (platform !== "linux") {
      return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || null;
    }
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may itself hold spaces and parentheses; the 22nd field is the start.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

/** Sends a signal to a whole process group; false where none of it is left. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
