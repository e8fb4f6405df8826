import { setTimeout as sleep } from "node:timers/promises";

/** What was read is no longer so, or another writer was at it: read again and try again. */
export class WriteConflict extends Error {
  override readonly name = "WriteConflict";
  constructor(cause: unknown) {
    super("another writer changed the same items", { cause });
  }
}

/** A change was tried many times, and each time another writer came first. */
export class CatalogBusyError extends Error {
  override readonly name = "CatalogBusyError";
  constructor(what: string, cause: unknown) {
    const remedy = "repeat it later, or let fewer processes work at the same time";
    super(`${what}: other writers kept changing the same items of the catalog; ${remedy}`, { cause });
  }
}

const MOST_TRIES = 40;
const LONGEST_WAIT_MS = 800;

/**
 * Runs `work`, which reads and then writes with conditions, until it meets no conflict.
 * @param what names the change in the error
 * @throws CatalogBusyError after 40 tries, about 15 seconds
 */
export async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      if (tries === MOST_TRIES) throw new CatalogBusyError(what, error);
      await backOff(tries);
    }
  }
}

/** Waits a random time (full jitter), so that writers who met do not meet again. */
export async function backOff(tries: number): Promise<void> {
  await sleep(Math.random() * Math.min(LONGEST_WAIT_MS, 10 * 2 ** tries));
}
