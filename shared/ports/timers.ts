/** Alarms. Whoever sets one gives it up when it is no longer needed: one that is set keeps a process alive. */
export interface Timers {
  /** Calls `ring` once after so many milliseconds, unless what it returns is called before. */
  after(milliseconds: number, ring: () => void): () => void;
}
