import { once } from "node:events";
import { closeSync, createWriteStream, fsyncSync, openSync, realpathSync, rmSync, statSync } from "node:fs";
import { rename } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { UsageError } from "./usage-error.ts";

/** Where a command's result goes. */
export interface Output {
  /** Resolves when more may be written. */
  write(text: string): Promise<void>;
  finish(): Promise<void>;
  /** Leaves no file behind, nor touches the one that stood there. */
  abort(): Promise<void>;
}

/** Standard output where no path is given; else a file that appears whole or not at all. @throws UsageError */
export async function openOutput(path: string | undefined): Promise<Output> {
  if (path === undefined) {
    return { write: (text) => written(process.stdout, text), finish: nothing, abort: nothing };
  }
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true)
    throw new UsageError(`--out ${path} is a folder; give the name of a file`);
  // A pipe or device (/dev/null) is written to, never replaced; a link keeps pointing at its file.
  if (stats !== undefined && !stats.isFile()) return streamOutput(path);
  return atomicOutput(stats === undefined ? resolve(path) : realpathSync(path), path);
}

async function nothing(): Promise<void> {}

async function written(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, "drain");
}

async function opened(
  path: string,
  options: { readonly flags: string; readonly shown: string },
): Promise<Writable> {
  const stream = createWriteStream(path, { flags: options.flags });
  try {
    await once(stream, "open");
    return stream;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown fault";
    throw new UsageError(`--out ${options.shown} cannot be written: ${why}`, { cause });
  }
}

async function streamOutput(path: string): Promise<Output> {
  const stream = await opened(path, { flags: "w", shown: path });
  const end = async (): Promise<void> => {
    const closed = once(stream, "close");
    stream.end();
    await closed;
  };
  return { write: (text) => written(stream, text), finish: end, abort: end };
}

async function atomicOutput(target: string, shown: string): Promise<Output> {
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  const stream = await opened(temporary, { flags: "w", shown });
  const stop = (signal: NodeJS.Signals): void => {
    rmSync(temporary, { force: true });
    process.kill(process.pid, signal);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const release = (): void => {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  };
  const close = async (): Promise<void> => {
    const closed = once(stream, "close");
    stream.end();
    await closed;
  };
  return {
    write: (text) => written(stream, text),
    finish: async () => {
      await close();
      const file = openSync(temporary, "r+");
      fsyncSync(file);
      closeSync(file);
      await rename(temporary, target);
      release();
    },
    abort: async () => {
      stream.destroy();
      rmSync(temporary, { force: true });
      release();
    },
  };
}
