const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

/** Where a scan stands inside one JSON value; carried from chunk to chunk. */
export interface Nesting {
  depth: number;
  inString: boolean;
  escaped: boolean;
  /** Why the last `advance` stopped: `closed` right after the value's last byte, `newline` right after one. */
  stop: "closed" | "newline" | "end";
}

export function newNesting(): Nesting {
  return { depth: 0, inString: false, escaped: false, stop: "end" };
}

export function resetNesting(state: Nesting): void {
  state.depth = 0;
  state.inString = false;
  state.escaped = false;
  state.stop = "end";
}

/**
 * Scans bytes of one array or object from `from` and returns the index after the byte it stopped at. It tracks
 * strings and depth only; whether the value is valid JSON is for the parser to say. Stops at every newline, in
 * strings too (JSON has none there, so the caller can tell a broken value).
 */
export function advance(state: Nesting, bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  let depth = state.depth;
  let inString = state.inString;
  let at = from;
  if (state.escaped && at < length) {
    state.escaped = false;
    at += 1;
  }
  state.stop = "end";
  while (at < length) {
    if (inString) {
      // Reads beyond the end would make the engine give up its fast path for the whole loop.
      let byte: number | undefined;
      while (at < length) {
        byte = bytes[at];
        if (byte === QUOTE || byte === BACKSLASH || byte === NEWLINE) break;
        at += 1;
      }
      if (at >= length) break;
      if (byte === BACKSLASH) {
        at += 2;
      } else if (byte === QUOTE) {
        inString = false;
        at += 1;
      } else if (byte === NEWLINE) {
        at += 1;
        state.stop = "newline";
        break;
      }
      continue;
    }
    const byte = bytes[at];
    at += 1;
    if (byte === QUOTE) {
      inString = true;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth <= 0) {
        state.stop = "closed";
        break;
      }
    } else if (byte === NEWLINE) {
      state.stop = "newline";
      break;
    }
  }
  if (at > length) {
    state.escaped = true;
    at = length;
  }
  state.depth = depth;
  state.inString = inString;
  return at;
}
