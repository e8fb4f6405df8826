import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface ProcessRow {
  readonly pid: number;
  /** The process group; its number is the pid of the process that led it first. */
  readonly group: number;
  /** When it started, in the system's own words: with the pid it names one process, though pids are used anew. */
  readonly started: string;
}

/** The processes that run; those that ended and wait for their parent are left out. */
export async function runningProcesses(): Promise<ProcessRow[]> {
  return process.platform === "linux" ? readProc() : askPs();
}

/** Small Linux images have no `ps`, so there the kernel is asked. */
async function readProc(): Promise<ProcessRow[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(pids.map(readProcessRow));
  return rows.filter((row) => row !== undefined);
}

async function readProcessRow(pid: string): Promise<ProcessRow | undefined> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined; // It ended in between.
  }
  // The second field is the program's name in brackets, which may hold spaces and brackets itself. From the third
  // on (proc(5)): state, parent, group, and as the 22nd the start in clock ticks since boot.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, , group] = fields;
  if (state === "Z" || state === "X") return undefined;
  return { pid: Number(pid), group: Number(group), started: fields[19] ?? "" };
}

async function askPs(): Promise<ProcessRow[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,pgid=,stat=,lstart="]);
  return stdout.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match === null || match[3]?.startsWith("Z")) return [];
    return [{ pid: Number(match[1]), group: Number(match[2]), started: (match[4] ?? "").trim() }];
  });
}
