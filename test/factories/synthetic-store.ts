import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import { SqliteCatalog } from "../../shared/adapters/local/sqlite-catalog.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import type { CatalogRow, ScoreRow } from "../../shared/contracts/catalog-row.ts";
import { scoreKey, trajectoryKey } from "../../shared/contracts/keys.ts";
import type { ObjectStore, ObjectWriter } from "../../shared/ports/object-store.ts";
import { computeIngest } from "../../shared/stages/compute-tasks.ts";
import { unpackDocument } from "../../shared/stages/document-file.ts";
import { chatRow } from "./logs.ts";
import { makePlan } from "./plan.ts";

/** Distinct documents; every trajectory is one of them under an id and a task of its own. */
const TEMPLATES = 100;
const ATTEMPTS = 8;
/** Every so many-th trajectory acts as the one before it did. */
const REPEATED = 50;

interface Template {
  readonly row: CatalogRow;
  readonly score: ScoreRow;
  readonly document: Patched;
  readonly scoreDocument: Patched;
}

/**
 * A store of as many trajectories as wanted: the catalog is a real one, and documents and scores are made when they are
 * read. Files of datasets are hashed and counted, and of them only the small ones kept.
 */
export class SyntheticStore implements ObjectStore {
  readonly rows: number;
  readonly #templates: readonly Template[];
  readonly #kept: DirectoryStore;
  /** By key: what was written piece by piece. */
  readonly written = new Map<
    string,
    { readonly bytes: number; readonly lines: number; readonly sha256: string }
  >();

  private constructor(rows: number, templates: readonly Template[], folder: string) {
    this.rows = rows;
    this.#templates = templates;
    this.#kept = new DirectoryStore(folder);
  }

  /** The same rows always give the same store. */
  static async open(folder: string, rows: number): Promise<SyntheticStore> {
    const settings = await taskSettings(makePlan());
    const templates: Template[] = [];
    for (let number = 0; number < TEMPLATES; number += 1) {
      const bytes = Buffer.from(logNumber(number));
      const record = { source: "synthetic", index: 0, line: 1, bytes, framing: "document" } as const;
      const [made] = (await computeIngest(record, settings)).trajectories;
      if (made?.score === undefined) throw new Error("a synthetic log makes no trajectory");
      const { id, contentId } = made.row;
      templates.push({
        row: made.row,
        score: made.score.row,
        document: new Patched(unpackDocument(made.document), [id, contentId, taskName(0)]),
        scoreDocument: new Patched(Buffer.from(made.score.bytes).toString("utf8"), [id]),
      });
    }
    return new SyntheticStore(rows, templates, folder);
  }

  /** Makes the catalog, straight into its tables. */
  fill(path: string): void {
    const clock = { now: () => 0 };
    void new SqliteCatalog({ path, clock }).close();
    const db = new DatabaseSync(path);
    db.exec("pragma synchronous = off; begin");
    const columns = Object.keys(this.#columns(0));
    const values = columns.map(() => "?").join(", ");
    const insert = db.prepare(`insert into trajectories (${columns.join(", ")}) values (${values})`);
    for (let number = 0; number < this.rows; number += 1) {
      insert.run(...Object.values(this.#columns(number)));
    }
    db.exec("commit");
    db.close();
  }

  /** Ids rise with the number, which fills a catalog quickly. */
  idOf(number: number): string {
    const head = Math.floor((number / this.rows) * 2 ** 32);
    return head.toString(16).padStart(8, "0") + digest(`trajectory ${number}`).slice(8);
  }

  async read(key: string): Promise<Uint8Array> {
    const [kind = "", , name = ""] = key.split("/");
    if (kind !== "trajectories" && kind !== "scores") return this.#kept.read(key);
    const id = name.slice(0, 64);
    const number = this.#numberOf(id);
    const { document, scoreDocument, score } = this.#template(number);
    if (key === trajectoryKey(id)) return rawFrame(document.with([id, contentOf(number), taskName(number)]));
    if (key === scoreKey(id, score.scorer)) return scoreDocument.with([id]);
    return this.#kept.read(key);
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#kept.put(key, bytes);
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    return this.#kept.putIfAbsent(key, bytes);
  }

  async writer(key: string): Promise<ObjectWriter> {
    const hash = createHash("sha256");
    let [total, lines] = [0, 0];
    return {
      write: async (bytes) => {
        hash.update(bytes);
        total += bytes.length;
        if (bytes.at(-1) === 10) lines += 1;
      },
      finish: async () => void this.written.set(key, { bytes: total, lines, sha256: hash.digest("hex") }),
      abort: async () => undefined,
    };
  }

  stream(key: string): AsyncIterable<Uint8Array> {
    return this.#kept.stream(key);
  }

  exists(key: string): Promise<boolean> {
    return this.#kept.exists(key);
  }

  list(prefix: string): AsyncIterable<{ readonly key: string; readonly size: number }> {
    return this.#kept.list(prefix);
  }

  async remove(key: string): Promise<void> {
    this.written.delete(key);
    await this.#kept.remove(key);
  }

  erase(key: string): Promise<void> {
    return this.#kept.erase(key);
  }

  #template(number: number): Template {
    // Attempts at a task differ; 7 is prime to the number of templates.
    const template = this.#templates[(number * 7) % TEMPLATES];
    if (template === undefined) throw new RangeError(`there is no trajectory ${number}`);
    return template;
  }

  #numberOf(id: string): number {
    const about = Math.round((Number.parseInt(id.slice(0, 8), 16) / 2 ** 32) * this.rows);
    const number = [about, about - 1, about + 1].find((each) => this.idOf(each) === id);
    if (number === undefined) throw new RangeError(`there is no trajectory ${id}`);
    return number;
  }

  #columns(number: number): Readonly<Record<string, string | number | null>> {
    const { row, score } = this.#template(number);
    const { revision, domain, format, agent, model, tokens, steps, calls, redactions, warnings } = row;
    return {
      ...{ id: this.idOf(number), content_id: contentOf(number), revision },
      ...{ task_key: taskName(number), task_id: taskName(number), domain, format, agent, model, tokens },
      ...{ success: Number(row.success), steps, agent_steps: row.agentSteps, calls, redactions, warnings },
      ...{ source_bytes: row.sourceBytes, export_count: 0, created_at: 0, ...score },
    };
  }
}

/** A text in which some parts, of equal lengths, are replaced. */
class Patched {
  readonly #bytes: Buffer;
  readonly #places: readonly (readonly number[])[];

  constructor(text: string, parts: readonly string[]) {
    this.#bytes = Buffer.from(text);
    this.#places = parts.map((part) => {
      const found: number[] = [];
      for (let at = this.#bytes.indexOf(part); at >= 0; at = this.#bytes.indexOf(part, at + 1))
        found.push(at);
      if (found.length === 0) throw new Error("a synthetic document lacks what is to be replaced");
      return found;
    });
  }

  with(parts: readonly string[]): Buffer {
    const bytes = Buffer.from(this.#bytes);
    for (const [index, part] of parts.entries()) {
      for (const at of this.#places[index] ?? []) bytes.write(part, at);
    }
    return bytes;
  }
}

/** A Zstandard frame of one block that is not compressed (RFC 8878, 3.1.1): made in no time. */
function rawFrame(content: Buffer): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(0xfd2fb528, 0);
  // One segment, and its size in four bytes.
  head.writeUInt8(0xa0, 4);
  head.writeUInt32LE(content.length, 5);
  head.writeUIntLE((content.length << 3) | 1, 9, 3);
  return Buffer.concat([head, content]);
}

function logNumber(number: number): string {
  const calls = Array.from({ length: 2 + (number % 6) }, (_, index) => {
    const output = `line ${number} ${index}: ${"x".repeat(40 + ((number * 31 + index * 17) % 200))}`;
    return [`cat file-${(number * 13 + index) % 97}.txt`, output] as const;
  });
  // Prompts of different tasks are not alike, or they would leak from split to split.
  const prompt = `Do ${taskName(0)}: ${taskName(0)} says what to read, and ${taskName(0)} what to answer.`;
  return chatRow({ prompt, task: taskName(0), success: number % 5 < 3, calls, answer: `Answer ${number}.` });
}

function taskName(number: number): string {
  return `task-${String(Math.floor(number / ATTEMPTS)).padStart(8, "0")}`;
}

function contentOf(number: number): string {
  return digest(`content ${number % REPEATED === 1 ? number - 1 : number}`);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Where a synthetic catalog lies. */
export function catalogPath(folder: string): string {
  return join(folder, "synthetic.sqlite");
}
