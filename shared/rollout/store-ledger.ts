import { createHash } from "node:crypto";
import { type EpisodeEntry, episodeEntrySchema } from "../collect/episode-entry.ts";
import { rolloutEpisodeKey, rolloutPendingKey, rolloutPendingPrefix } from "../contracts/keys.ts";
import type { EpisodeDocument, EpisodeLedger } from "../ports/episode-ledger.ts";
import { ObjectNotFoundError, type ObjectStore } from "../ports/object-store.ts";

export interface StoreLedgerOptions {
  readonly store: Pick<ObjectStore, "read" | "put" | "list" | "remove">;
  /** Where logs are dropped. */
  readonly drop: Pick<ObjectStore, "read" | "putIfAbsent">;
  readonly run: string;
  /** Where the logs go in the drop. */
  readonly folder: string;
  /** Ids of the episodes that count here: those of one shard. */
  readonly episodes: readonly string[];
}

/** Entries read at a time. */
const READING = 16;
/** A message may quote what a program printed, and stands in the store without going through redaction. */
const MESSAGE_CHARACTERS = 300;

/**
 * A ledger of one record per episode in the store, for jobs that may be killed at any moment and tried again on another
 * machine. What must not happen is that an episode is dropped twice: its second log would be another trajectory. So its
 * log goes to the drop with one conditional write, which decides. The entry stands in the store as pending before it,
 * under the log's hash, and becomes final after it; whoever comes later and finds a dropped log without a final entry
 * takes the pending one of that hash. Logs lie in the drop alone, since they are not redacted yet; those of failed
 * episodes are not kept.
 */
export class StoreLedger implements EpisodeLedger {
  readonly #options: StoreLedgerOptions;

  constructor(options: StoreLedgerOptions) {
    this.#options = options;
  }

  /** @throws ZodError for an entry of another version */
  async entries(): Promise<ReadonlyMap<string, EpisodeEntry>> {
    const { episodes } = this.#options;
    const found = new Map<string, EpisodeEntry>();
    for (let at = 0; at < episodes.length; at += READING) {
      const some = episodes.slice(at, at + READING);
      for (const entry of await Promise.all(some.map((id) => this.#final(id)))) {
        if (entry !== undefined) found.set(entry.id, entry);
      }
    }
    for (const entry of await this.#settled(found)) found.set(entry.id, entry);
    return found;
  }

  async keep(entry: Omit<EpisodeEntry, "file">, document: EpisodeDocument | null): Promise<EpisodeEntry> {
    const { store, drop, run, folder } = this.#options;
    const { id, error } = entry;
    const before = await this.#final(id);
    // Another copy of this job was faster: Batch may think a host lost that still works.
    if (before?.kind === "done") return before;
    if (entry.kind === "failed" || document === null) {
      const short = error && { ...error, message: error.message.slice(0, MESSAGE_CHARACTERS) };
      return this.#finish({ ...entry, error: short, file: null });
    }
    const file = `${folder}/${id}${document.extension}`;
    const hash = sha256(document.bytes);
    const pending: EpisodeEntry = { ...entry, file };
    await store.put(rolloutPendingKey(run, id, hash), json(pending));
    if ((await drop.putIfAbsent(file, document.bytes)) === "created") return this.#finish(pending, hash);
    const other = await this.#dropped(file);
    const theirs = other === undefined ? undefined : await this.#entry(rolloutPendingKey(run, id, other));
    await store.remove(rolloutPendingKey(run, id, hash));
    // Its own entry may have gone from pending to final meanwhile.
    return theirs === undefined
      ? ((await this.#final(id)) ?? this.#finish(pending))
      : this.#finish(theirs, other);
  }

  /** Brings to an end what was dropped by a job that was killed before it could say so. */
  async #settled(known: ReadonlyMap<string, EpisodeEntry>): Promise<readonly EpisodeEntry[]> {
    const { store, run, episodes } = this.#options;
    const own = new Set(episodes);
    const entries: EpisodeEntry[] = [];
    for await (const { key } of store.list(rolloutPendingPrefix(run))) {
      const [, id, hash] =
        /^(.+)\.([0-9a-f]{64})\.json$/.exec(key.slice(rolloutPendingPrefix(run).length)) ?? [];
      if (id === undefined || hash === undefined || !own.has(id)) continue;
      const pending = known.get(id)?.kind === "done" ? undefined : await this.#entry(key);
      if (pending?.file != null && (await this.#dropped(pending.file)) === hash) {
        entries.push(await this.#finish(pending, hash));
      } else await store.remove(key);
    }
    return entries;
  }

  async #finish(entry: EpisodeEntry, hash?: string): Promise<EpisodeEntry> {
    const { store, run } = this.#options;
    await store.put(rolloutEpisodeKey(run, entry.id), json(entry));
    if (hash !== undefined) await store.remove(rolloutPendingKey(run, entry.id, hash));
    return entry;
  }

  #final(id: string): Promise<EpisodeEntry | undefined> {
    return this.#entry(rolloutEpisodeKey(this.#options.run, id));
  }

  async #entry(key: string): Promise<EpisodeEntry | undefined> {
    const bytes = await ifThere(this.#options.store.read(key));
    return bytes && episodeEntrySchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  }

  /** Hash of a log in the drop. */
  async #dropped(file: string): Promise<string | undefined> {
    const bytes = await ifThere(this.#options.drop.read(file));
    return bytes && sha256(bytes);
  }
}

/** The same ledger where logs are not wanted: nothing is dropped, and of two copies of a job the last word on an episode counts. */
export function withoutLogs(ledger: EpisodeLedger): EpisodeLedger {
  return { entries: () => ledger.entries(), keep: (entry) => ledger.keep(entry, null) };
}

async function ifThere(read: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}
