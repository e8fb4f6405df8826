import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a Python program prints last; it must not ask a hub for anything. */
export async function lastLine(
  python: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { ...process.env, HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false", ...more };
  const { stdout } = await run(python, args, { env, maxBuffer: 1 << 26 });
  return stdout.trim().split("\n").at(-1) ?? "";
}
