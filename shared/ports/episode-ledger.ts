import type { EpisodeEntry } from "../collect/episode-entry.ts";

/** The bytes of one episode's log, as they go into the drop folder. */
export interface EpisodeDocument {
  readonly bytes: Uint8Array;
  /** With the dot: `.json`, `.traj.json`. */
  readonly extension: string;
}

/** Where a run keeps what it has done, so that another process can go on with it. */
export interface EpisodeLedger {
  /** The last entry of each episode, by its id. */
  entries(): Promise<ReadonlyMap<string, EpisodeEntry>>;
  /**
   * Keeps document and entry: first the one, then the other, each whole or not at all. Gives the entry as it is kept,
   * with the document's place.
   */
  keep(entry: Omit<EpisodeEntry, "file">, document: EpisodeDocument | null): Promise<EpisodeEntry>;
}
