import { createHash } from "node:crypto";
import type { DatasetInput, Manifest } from "../dataset/manifest.ts";
import type { SplitName } from "../dataset/split.ts";
import type { TargetUnit } from "../dataset/targets/target.ts";
import type { ObjectStore, ObjectWriter } from "../ports/object-store.ts";
import type { MadeRow } from "./dataset-rows.ts";

const INPUTS_FILE = "inputs.jsonl";

type Member = MadeRow["members"][number];

interface Place {
  readonly prefix: string;
  readonly store: ObjectStore;
  readonly unit: TargetUnit;
}

/** Bytes collected before they are handed to the store. */
const PIECE = 64 << 10;

/**
 * Writes what a dataset version is made of, a line for each trajectory, along with its rows. Held in memory are the
 * trajectories of one task, and only where one may stand in several rows.
 */
export class InputsFile {
  readonly #place: Place;
  readonly #writer: ObjectWriter;
  /** Only a pair shares its trajectories with other rows, and the pairs of a task follow each other. */
  readonly #repeats: boolean;
  readonly #hash = createHash("sha256");
  readonly #numbers: Record<SplitName, number> = { train: 0, validation: 0, test: 0 };
  readonly #held = new Map<
    string,
    { readonly facts: Member["facts"]; readonly split: SplitName; readonly rows: number[] }
  >();
  #task: string | undefined;
  #pieces: string[] = [];
  #size = 0;
  #isDone = false;
  #rows = 0;
  #bytes = 0;

  private constructor(place: Place, writer: ObjectWriter) {
    this.#place = place;
    this.#writer = writer;
    this.#repeats = place.unit === "pair";
  }

  static async open(place: Place): Promise<InputsFile> {
    return new InputsFile(place, await place.store.writer(place.prefix + INPUTS_FILE));
  }

  /** Notes the next row of a split; gives those of its members that stood in no row before. */
  async add({ task, members }: MadeRow, split: SplitName): Promise<readonly Member[]> {
    if (!this.#repeats || task !== this.#task) await this.#release();
    this.#task = task;
    this.#numbers[split] += 1;
    const row = this.#numbers[split];
    const fresh: Member[] = [];
    for (const member of members) {
      const held = this.#held.get(member.id);
      if (held !== undefined) held.rows.push(row);
      else {
        this.#held.set(member.id, { facts: member.facts, split, rows: [row] });
        fresh.push(member);
      }
    }
    return fresh;
  }

  async finish(): Promise<Manifest["inputs"]> {
    await this.#release();
    await this.#flush();
    await this.#writer.finish();
    this.#isDone = true;
    const sha256 = this.#hash.digest("hex");
    return { path: INPUTS_FILE, rows: this.#rows, bytes: this.#bytes, sha256 };
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    if (this.#isDone) await this.#place.store.remove(this.#place.prefix + INPUTS_FILE);
    else await this.#writer.abort();
  }

  async #release(): Promise<void> {
    for (const [id, { facts, split, rows }] of this.#held) {
      const { contentId: content_id, revision, scorer, reward } = facts;
      // The id comes first: who looks for one need not parse the other lines.
      const input: DatasetInput = { id, content_id, revision, scorer, reward, split, rows };
      const line = `${JSON.stringify(input)}\n`;
      this.#pieces.push(line);
      this.#size += line.length;
      this.#rows += 1;
    }
    this.#held.clear();
    if (this.#size >= PIECE) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#size === 0) return;
    const bytes = Buffer.from(this.#pieces.join(""));
    this.#pieces = [];
    this.#size = 0;
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#writer.write(bytes);
  }
}
