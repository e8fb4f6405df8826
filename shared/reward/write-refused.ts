import type { CallView } from "./call-view.ts";

const refusal =
  /^\s*(?:error\b|<tool_use_error>|no replacement was performed|string to replace not found|no match found|invalid )/i;

/** Whether an editor refused the change, so that nothing changed. Shell commands that fail may have changed things. */
export function wasRefused(view: CallView): boolean {
  if (view.kind !== "write") return false;
  const { exitCode, output } = view.at;
  if (exitCode !== null && exitCode !== 0) return true;
  const start = output.slice(0, 300);
  return refusal.test(start) || start.includes("No replacement was performed");
}
