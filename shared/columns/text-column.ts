import { Chunks } from "./chunks.ts";

/** Texts that come again and again: each is held once, and a row is a number of four bytes. */
export class TextColumn {
  readonly #texts: string[] = [];
  readonly #codes = new Map<string, number>();
  readonly #rows = new Chunks((length) => new Uint32Array(length));

  push(text: string): void {
    let code = this.#codes.get(text);
    if (code === undefined) {
      code = this.#texts.length;
      this.#codes.set(text, code);
      this.#texts.push(text);
    }
    this.#rows.push(code);
  }

  /** Empty where there is none. */
  at(index: number): string {
    return this.#texts[this.#rows.at(index)] ?? "";
  }

  /** The rows of each text in their order, the texts sorted by their UTF-16 units. Linear but for sorting the texts. */
  grouped(): GroupedRows {
    const order = this.#texts.map((_, code) => code).sort((a, b) => this.#compare(a, b));
    const rank = new Uint32Array(order.length);
    for (const [place, code] of order.entries()) rank[code] = place;
    const starts = new Uint32Array(order.length + 1);
    const rankOf = (row: number): number => rank[this.#rows.at(row)] ?? 0;
    for (let row = 0; row < this.#rows.length; row += 1) {
      const after = rankOf(row) + 1;
      starts[after] = (starts[after] ?? 0) + 1;
    }
    for (let place = 1; place < starts.length; place += 1) {
      starts[place] = (starts[place] ?? 0) + (starts[place - 1] ?? 0);
    }
    const next = starts.slice();
    const rows = new Uint32Array(this.#rows.length);
    for (let row = 0; row < rows.length; row += 1) {
      const place = rankOf(row);
      const at = next[place] ?? 0;
      rows[at] = row;
      next[place] = at + 1;
    }
    return {
      length: order.length,
      at: (place) => ({
        text: this.#texts[order[place] ?? -1] ?? "",
        rows: rows.subarray(starts[place], starts[place + 1]),
      }),
    };
  }

  #compare(a: number, b: number): number {
    return (this.#texts[a] ?? "") < (this.#texts[b] ?? "") ? -1 : 1;
  }
}

export interface GroupedRows {
  /** How many texts there are. */
  readonly length: number;
  at(place: number): { readonly text: string; readonly rows: Uint32Array };
}
