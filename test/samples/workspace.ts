import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

/** The path that agents see; the real folder is a temporary one. */
export const ROOT = "/workspace";

export interface Observation {
  readonly output: string;
  readonly exitCode: number;
}

export type Files = Readonly<Record<string, string>>;

/** A real folder in which real commands run. Paths are relative to it. */
export interface Workspace extends Disposable {
  /** Runs a command line in bash; standard output and error come interleaved. */
  run(command: string): Observation;
  read(path: string): string | undefined;
  write(path: string, text: string): void;
  /** All files as they are now. */
  files(): Files;
}

/** A command could not be started or was ended by a signal, so there is nothing true to record. */
export class CommandNotRunError extends Error {
  override readonly name = "CommandNotRunError";
  constructor(command: string, cause: unknown) {
    super(`could not run "${command}" to its end; bash and coreutils must be installed`, { cause });
  }
}

/**
 * The only edit made to what commands print: the temporary folder's path becomes `/workspace`, and the other way
 * round in the commands.
 */
export function openWorkspace(files: Files): Workspace {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "gymline-samples-")));
  const place = (path: string): string => join(folder, path);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(place(path)), { recursive: true });
    writeFileSync(place(path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);

  const read = (path: string): string | undefined => {
    try {
      return readFileSync(place(path), "utf8");
    } catch {
      return undefined;
    }
  };
  return {
    run: (command) => runIn(folder, command),
    read,
    write,
    files() {
      const found = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
        .sort();
      return Object.fromEntries(found.map((path) => [path, read(path) ?? ""]));
    },
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function runIn(folder: string, command: string): Observation {
  const done = spawnSync("bash", ["-c", 'exec bash -c "$1" 2>&1', "bash", command.replaceAll(ROOT, folder)], {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder, LC_ALL: "C", TZ: "UTC" },
  });
  if (done.status === null) throw new CommandNotRunError(command, done.error ?? done.signal);
  return { output: done.stdout.replaceAll(folder, ROOT), exitCode: done.status };
}
