import type { EpisodeDocument, EpisodeLedger } from "../ports/episode-ledger.ts";
import type { EpisodeEntry } from "./episode-entry.ts";

/** A ledger for runs whose logs stay in memory: small ones, and those whose rewards alone count. */
export class MemoryLedger implements EpisodeLedger {
  readonly documents = new Map<string, EpisodeDocument>();
  readonly #entries = new Map<string, EpisodeEntry>();

  async entries(): Promise<ReadonlyMap<string, EpisodeEntry>> {
    return new Map(this.#entries);
  }

  async keep(entry: Omit<EpisodeEntry, "file">, document: EpisodeDocument | null): Promise<EpisodeEntry> {
    if (document !== null) this.documents.set(entry.id, document);
    const kept = { ...entry, file: document === null ? null : `${entry.id}${document.extension}` };
    this.#entries.set(kept.id, kept);
    return kept;
  }
}
