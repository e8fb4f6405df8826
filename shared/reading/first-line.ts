import { advance, newNesting } from "./nesting.ts";
import { isSpace } from "./piece.ts";

const NEWLINE = 0x0a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;

/** How a text is to be cut: one value per line, elements of one array, or values that may span lines. */
export type TextShape = "lines" | "array" | "sequence";

/**
 * Tells the shape of a text from its first line. A first line that is exactly one object means JSON Lines; one
 * that stays open means a pretty-printed document, alone or first of several. A first line that is exactly one array means JSON Lines only
 * when something follows it. A line that breaks inside a string cannot be pretty-printed JSON, so it is a broken
 * line.
 */
export class FirstLine {
  readonly #maxBytes: number;
  readonly #nesting = newNesting();
  #seen = 0;
  #opener = 0;
  #state: "leading" | "open" | "closed" | "next" = "leading";

  /** `maxBytes`: how far to look for the end of the line. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Uint8Array): TextShape | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === "open") {
        at = advance(this.#nesting, chunk, at);
        if (this.#nesting.stop === "closed") this.#state = "closed";
        else if (this.#nesting.stop === "newline") return this.#brokenOff();
        continue;
      }
      const byte = chunk[at];
      if (this.#state === "leading") {
        if (!isSpace(byte)) {
          if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) return "lines";
          this.#opener = byte;
          this.#state = "open";
          continue;
        }
      } else if (byte === NEWLINE) {
        if (this.#opener === OPEN_BRACE) return "lines";
        this.#state = "next";
      } else if (!isSpace(byte)) {
        return this.#state === "next" ? "lines" : "sequence";
      }
      at += 1;
    }
    this.#seen += chunk.length;
    return this.#seen > this.#maxBytes ? this.#endless() : undefined;
  }

  /** The text ended within its first line. */
  end(): TextShape {
    return this.#opener === OPEN_BRACE && this.#state === "open" ? "sequence" : this.#endless();
  }

  #brokenOff(): TextShape {
    if (this.#nesting.inString) return "lines";
    return this.#opener === OPEN_BRACKET ? "array" : "sequence";
  }

  #endless(): TextShape {
    return this.#opener === OPEN_BRACKET ? "array" : "lines";
  }
}
