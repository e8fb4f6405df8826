/** Shorter texts are written anew each time: that costs less than looking them up. */
const LONG = 256;

/** Where no text was written before, the engine writes each message as a whole: half the time. */
const DEPTH_ONCE = 1;

type Quoted = Map<string, string>;

/**
 * The JSON of each trajectory's long texts, as long as it lives: the same texts stand in its identity, its document
 * and its row of a dataset, and writing them is most of the work for each.
 */
const texts = new WeakMap<object, Quoted>();

/**
 * Writes JSON as `JSON.stringify` does, in pieces in which long texts stand apart: joined to one string they would be
 * copied, and a single character beyond Latin-1 would make the whole twice as large. For plain data only: nothing
 * with a `toJSON`, no cycles.
 */
export class JsonPieces {
  readonly #texts: Quoted | undefined;
  #pieces: string[] = [];
  #open = "";

  /** `of`: the trajectory that the texts are from; undefined where it is written once and then let go. */
  constructor(of: object | undefined) {
    if (of === undefined) return;
    const known = texts.get(of) ?? new Map<string, string>();
    texts.set(of, known);
    this.#texts = known;
  }

  /** JSON, or a part of it, as it is. */
  raw(json: string): void {
    this.#open += json;
  }

  text(text: string): void {
    if (text.length < LONG) {
      this.#open += JSON.stringify(text);
      return;
    }
    let quoted = this.#texts?.get(text);
    if (quoted === undefined) {
      quoted = JSON.stringify(text);
      this.#texts?.set(text, quoted);
    }
    this.#apart(quoted);
  }

  /** Long texts are set apart down to `depth` levels of lists and objects; what is deeper the engine writes at once. */
  value(value: unknown, depth: number): void {
    this.#value(value, this.#texts === undefined ? Math.min(depth, DEPTH_ONCE) : depth);
  }

  #value(value: unknown, depth: number): void {
    if (typeof value === "string") this.text(value);
    else if (typeof value !== "object" || value === null) this.#open += asJson(value);
    else if (depth === 0) this.#whole(asJson(value));
    else if (Array.isArray(value)) this.#list(value, depth - 1);
    else this.#object(value as Readonly<Record<string, unknown>>, depth - 1);
  }

  #whole(json: string): void {
    if (json.length < LONG) this.#open += json;
    else this.#apart(json);
  }

  #apart(json: string): void {
    this.#pieces.push(this.#open, json);
    this.#open = "";
  }

  /** What was written since it was last taken. */
  take(): readonly string[] {
    const pieces = this.#pieces;
    pieces.push(this.#open);
    this.#pieces = [];
    this.#open = "";
    return pieces;
  }

  #list(list: readonly unknown[], depth: number): void {
    this.#open += "[";
    for (let index = 0; index < list.length; index += 1) {
      if (index > 0) this.#open += ",";
      this.#value(list[index], depth);
    }
    this.#open += "]";
  }

  #object(object: Readonly<Record<string, unknown>>, depth: number): void {
    let before = "{";
    for (const key of Object.keys(object)) {
      const value = object[key];
      if (value === undefined) continue;
      this.#open += `${before}${JSON.stringify(key)}:`;
      before = ",";
      this.#value(value, depth);
    }
    this.#open += before === "{" ? "{}" : "}";
  }
}

/** In lists, what JSON cannot hold is null. */
function asJson(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}
