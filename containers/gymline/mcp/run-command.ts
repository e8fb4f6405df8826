import { spawn } from "node:child_process";
import { EXIT } from "../exit-code.ts";

/** A command could not be done; the message is what it said. */
export class CommandFailedError extends Error {
  override readonly name = "CommandFailedError";
}

/** Longer answers are cut: a client has to fit them into a model's context. */
const MOST_CHARACTERS = 200_000;
/** Of what a command says on its way, only the end is of use. */
const MOST_NOTES = 4_000;

/**
 * Runs one of this program's own commands in a process of its own, so that what it does and says is what it does and
 * says on the command line. Gives its output; what was rejected (exit code 2) is said behind it.
 * @throws CommandFailedError, the signal's reason
 */
export async function runCommand(
  args: readonly string[],
  options: { readonly signal: AbortSignal | undefined; readonly cwd?: string },
): Promise<string> {
  const { signal, cwd } = options;
  signal?.throwIfAborted();
  const program = process.argv[1] ?? "";
  const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const kill = (): void => void child.kill("SIGTERM");
  signal?.addEventListener("abort", kill, { once: true });
  const said = { out: "", notes: "", dropped: 0 };
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    const room = MOST_CHARACTERS - said.out.length;
    said.out += piece.slice(0, Math.max(0, room));
    said.dropped += Math.max(0, piece.length - room);
  });
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    said.notes = (said.notes + piece).slice(-MOST_NOTES);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject).once("close", resolve);
  try {
    const code = await promise;
    signal?.throwIfAborted();
    if (code !== EXIT.done && code !== EXIT.rejected) {
      throw new CommandFailedError(said.notes.trim() || `The command ended with exit code ${code}`);
    }
    const cut =
      said.dropped === 0
        ? ""
        : `\n[${said.dropped} characters left out: ask for less, by filters or --limit]`;
    const found =
      code === EXIT.rejected ? `\n[exit code 2: something was rejected, found or left undone]` : "";
    return `${said.out.trim()}${cut}${found}`;
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}
