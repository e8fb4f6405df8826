import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../ports/clock.ts";
import type { Ledger } from "../../ports/ledger.ts";
import { DirectoryStore } from "./directory-store.ts";
import { lockStore } from "./run-lock.ts";
import { SqliteCatalog } from "./sqlite-catalog.ts";
import { systemClock } from "./system-clock.ts";

/** The folder holds no store. */
export class NoStoreError extends Error {
  override readonly name = "NoStoreError";
  constructor(folder: string) {
    super(`${folder} holds no gymline store; make one with: gymline run <drop> --out ${folder}`);
  }
}

export interface LocalStore {
  readonly folder: string;
  readonly store: DirectoryStore;
  readonly catalog: SqliteCatalog;
  readonly ledger: Ledger;
  close(): Promise<void>;
}

/** Opens the store in a folder for writing and makes it if it is not there. @throws StoreBusyError */
export function openForWriting(folder: string, clock: Clock = systemClock): LocalStore {
  mkdirSync(folder, { recursive: true });
  const lock = lockStore(folder, join(folder, ".lock.sqlite"));
  try {
    const store = new DirectoryStore(folder);
    store.sweep();
    const catalog = new SqliteCatalog({ path: join(folder, CATALOG_FILE), clock });
    const close = async (): Promise<void> => {
      await catalog.close();
      lock.release();
    };
    return { folder, store, catalog, ledger: catalog.ledger, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Opens the store in a folder for reading, beside a process that may be writing. @throws NoStoreError */
export function openForReading(folder: string, clock: Clock = systemClock): LocalStore {
  const path = join(folder, CATALOG_FILE);
  if (!existsSync(path)) throw new NoStoreError(folder);
  const catalog = new SqliteCatalog({ path, clock, readOnly: true });
  return {
    folder,
    store: new DirectoryStore(folder),
    catalog,
    ledger: catalog.ledger,
    close: () => catalog.close(),
  };
}

const CATALOG_FILE = "catalog.sqlite";
