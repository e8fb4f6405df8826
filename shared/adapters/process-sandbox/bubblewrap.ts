import { execFile } from "node:child_process";
import { existsSync, lstatSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";
import { SandboxError, type SandboxSpec } from "../../ports/sandbox.ts";
import type { RunRequest } from "../sandbox-files/runner.ts";

const run = promisify(execFile);

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Folders of programs; on most systems links into /usr. */
const PROGRAM_FOLDERS = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"];
/** Of /etc only what programs cannot run without. */
const SETTINGS = ["/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"];
const SHARED_MEMORY_BYTES = 64 << 20;

/** The folders of a sandbox on the host. */
export interface Folders {
  readonly workspace: string;
  readonly tmp: string;
}

/** The command line that runs a command under bubblewrap, with namespaces of its own for everything. */
export function bubblewrapCommand(
  spec: SandboxSpec,
  folders: Folders,
  request: RunRequest,
): readonly string[] {
  const env = { PATH, HOME: "/tmp", ...spec.env, ...request.env };
  return [
    ...limitsCommand(spec),
    "bwrap",
    ...["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
    ...["--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--clearenv"],
    ...Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--ro-bind", "/usr", "/usr"],
    ...programFolders(),
    ...SETTINGS.flatMap((path) => ["--ro-bind-try", path, path]),
    ...["--proc", "/proc", "--dev", "/dev", "--size", String(SHARED_MEMORY_BYTES), "--tmpfs", "/dev/shm"],
    ...["--bind", folders.tmp, "/tmp", "--bind", folders.workspace, spec.workspace],
    ...["--remount-ro", "/", "--chdir", request.cwd, "--"],
    ...request.command,
  ];
}

/** Limits as the kernel keeps them for each process, weaker than those of a container. */
export function limitsCommand({ limits }: SandboxSpec): readonly string[] {
  const { memoryBytes, pids, diskBytes } = limits;
  const each = [
    `--as=${memoryBytes}`,
    `--nproc=${pids}`,
    `--fsize=${diskBytes}`,
    "--core=0",
    "--nofile=4096",
  ];
  return ["prlimit", ...each, "--"];
}

/** The host's folders stay what they are while this program runs. */
function programFolders(): readonly string[] {
  knownFolders ??= PROGRAM_FOLDERS.flatMap(folderArguments);
  return knownFolders;
}

let knownFolders: readonly string[] | undefined;

function folderArguments(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  if (lstatSync(path).isSymbolicLink()) return ["--symlink", readlinkSync(path), path];
  return ["--ro-bind", path, path];
}

/** @throws SandboxError (`unavailable`) where bubblewrap is missing or may not work */
export async function checkBubblewrap(): Promise<void> {
  try {
    await run("bwrap", ["--unshare-all", "--ro-bind", "/", "/", "true"]);
    await run("prlimit", ["--version"]);
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const why = missing
      ? "bubblewrap (bwrap) or prlimit is not installed; apt-get install bubblewrap util-linux brings them"
      : `bubblewrap does not work here, where user namespaces may be switched off: ${String(cause instanceof Error && "stderr" in cause ? cause.stderr : cause).trim()}`;
    const message = `the process backend cannot isolate anything: ${why}. Use Docker, or, for programs you trust as you trust yourself, ask for no isolation (--backend process-unisolated)`;
    throw new SandboxError(message, { reason: "unavailable", cause });
  }
}
