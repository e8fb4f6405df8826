import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

const SQLITE_BUSY = 5;

/**
 * Does a piece of work while no other process that asks for the same lock does.
 * The lock is one of SQLite's: the kernel drops it with its process, so nothing stale can be left behind.
 * @param path the file that stands for the lock; it stays
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    while (!tryLock(db)) await sleep(100);
    return await work();
  } finally {
    db.close();
  }
}

function tryLock(db: DatabaseSync): boolean {
  try {
    db.exec("begin exclusive");
    return true;
  } catch (error) {
    // An extended code carries the primary one in its low byte.
    const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
    if (code === SQLITE_BUSY) return false;
    throw error;
  }
}
