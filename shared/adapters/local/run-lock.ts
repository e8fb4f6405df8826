import { DatabaseSync } from "node:sqlite";

/** Another process writes to the same folder. */
export class StoreBusyError extends Error {
  override readonly name = "StoreBusyError";
  constructor(folder: string, options?: ErrorOptions) {
    super(
      `another gymline process is writing to ${folder}; wait for it to end, or use another folder`,
      options,
    );
  }
}

/**
 * Makes this process the one writer of a store. The lock is one of SQLite's: the kernel drops it when the process
 * ends, however it ends, so a killed run never leaves the store locked.
 * @throws StoreBusyError
 */
export function lockStore(folder: string, path: string): { release(): void } {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec("pragma locking_mode = exclusive; begin exclusive");
  } catch (cause) {
    db.close();
    if (isBusy(cause)) throw new StoreBusyError(folder, { cause });
    throw cause;
  }
  return { release: () => db.close() };
}

/** Primary result codes of SQLite: 5 is SQLITE_BUSY, 6 SQLITE_LOCKED. */
function isBusy(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  return code === 5 || code === 6;
}
