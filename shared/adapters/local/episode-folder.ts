import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type EpisodeEntry, episodeEntrySchema } from "../../collect/episode-entry.ts";
import type { EpisodeDocument, EpisodeLedger } from "../../ports/episode-ledger.ts";
import { lockStore } from "./run-lock.ts";

/** A run's folder is not what it should be, or is there already. Says what to do. */
export class RunFolderError extends Error {
  override readonly name = "RunFolderError";
}

const RUN_NAME = /^[a-z0-9_][a-z0-9._-]{0,99}$/i;

/** What a run's folder must know of its settings: the way to what is dropped, below the drop folder. */
const placeSchema = z.looseObject({ folder: z.string().regex(/^[\w.-]+(?:\/[\w.-]+)?$/) });

/** Settings of a run; `folder` is where its logs go, below the drop folder: `<run>` or `<project>/<run>`. */
export type RunPlace = Readonly<z.infer<typeof placeSchema>>;

/**
 * A run in a drop folder: `<folder>/<episode>.json` is what is dropped. What the run itself needs stands beside, where
 * no ingest looks: `.runs/<run>/` with `run.json` (its settings), `episodes.jsonl` (the ledger), `failures.jsonl` (every
 * failure, also of episodes that succeeded later) and `failed/` (logs of failed episodes). A document is moved into
 * place before its entry is written, so a kill at any moment loses at most the episodes that were under way.
 */
export class EpisodeFolder implements EpisodeLedger {
  readonly run: string;
  /** Below the drop folder. */
  readonly folder: string;
  readonly #root: string;
  readonly #own: string;
  readonly #lock: { release(): void };
  readonly #entries: Map<string, EpisodeEntry>;

  private constructor(root: string, run: string, { folder }: RunPlace) {
    this.run = run;
    this.folder = folder;
    this.#root = root;
    this.#own = join(root, ".runs", run);
    mkdirSync(join(this.#own, "failed"), { recursive: true });
    mkdirSync(join(root, folder), { recursive: true });
    this.#lock = lockStore(this.#own, join(this.#own, "lock.sqlite"));
    try {
      rmSync(this.#path("tmp"), { recursive: true, force: true });
      mkdirSync(this.#path("tmp"));
      this.#entries = readLedger(this.#path("episodes.jsonl"));
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  /** Begins a run. @throws RunFolderError where there is one of that name, StoreBusyError */
  static begin(root: string, run: string, settings: RunPlace): EpisodeFolder {
    checkName(run);
    if (readIfThere(join(root, ".runs", run, "run.json")) !== null) {
      throw new RunFolderError(`There is a run ${run} in ${root} already; resume it, or choose another name`);
    }
    const folder = new EpisodeFolder(root, run, settings);
    folder.#write("run.json", `${JSON.stringify(settings, null, 2)}\n`);
    return folder;
  }

  /** Goes on with a run; gives its settings too. @throws RunFolderError, StoreBusyError */
  static resume(root: string, run: string): { readonly folder: EpisodeFolder; readonly settings: unknown } {
    checkName(run);
    const text = readIfThere(join(root, ".runs", run, "run.json"));
    if (text === null) throw new RunFolderError(`There is no run ${run} in ${root} to go on with`);
    const read = placeSchema.safeParse(json(text, `the settings of the run ${run}`));
    if (!read.success) {
      throw new RunFolderError(
        `The settings of the run ${run} do not say where its logs go; begin a new run`,
        {
          cause: read.error,
        },
      );
    }
    return { folder: new EpisodeFolder(root, run, read.data), settings: read.data };
  }

  async entries(): Promise<ReadonlyMap<string, EpisodeEntry>> {
    return new Map(this.#entries);
  }

  async keep(entry: Omit<EpisodeEntry, "file">, document: EpisodeDocument | null): Promise<EpisodeEntry> {
    const kept: EpisodeEntry = { ...entry, file: null };
    const done =
      document === null ? kept : { ...kept, file: this.#place(kept, `${entry.id}${document.extension}`) };
    if (document !== null && done.file !== null) {
      const written = this.#path("tmp", entry.id);
      writeFileSync(written, document.bytes);
      const place = join(this.#root, done.file);
      mkdirSync(dirname(place), { recursive: true });
      renameSync(written, place);
    }
    const line = `${JSON.stringify(done)}\n`;
    if (done.kind === "failed") appendFileSync(this.#path("failures.jsonl"), line);
    appendFileSync(this.#path("episodes.jsonl"), line);
    this.#entries.set(done.id, done);
    return done;
  }

  /** Figures of the run, written anew at each end of it. */
  writeSummary(summary: unknown): void {
    this.#write("summary.json", `${JSON.stringify(summary, null, 2)}\n`);
  }

  close(): void {
    rmSync(this.#path("tmp"), { recursive: true, force: true });
    this.#lock.release();
  }

  /** What failed may be run again, so its log is not dropped. */
  #place({ kind }: EpisodeEntry, name: string): string {
    return kind === "done" ? `${this.folder}/${name}` : `.runs/${this.run}/failed/${name}`;
  }

  #write(name: string, text: string): void {
    const written = this.#path("tmp", name);
    writeFileSync(written, text);
    renameSync(written, this.#path(name));
  }

  #path(...names: readonly string[]): string {
    return join(this.#own, ...names);
  }
}

function checkName(run: string): void {
  if (RUN_NAME.test(run)) return;
  throw new RunFolderError(
    `"${run.slice(0, 120)}" is no name of a run; give letters, digits, _, - and dots, 100 at most`,
  );
}

/** Takes off a line that a kill cut in two: its episode is missing. @throws RunFolderError */
function readLedger(path: string): Map<string, EpisodeEntry> {
  const text = readIfThere(path);
  if (text === null) return new Map();
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  const lines = whole.split("\n").slice(0, -1);
  const entries = lines.map((line, index) => {
    const read = episodeEntrySchema.safeParse(json(line, `${path}:${index + 1}`));
    if (read.success) return read.data;
    throw new RunFolderError(`${path}:${index + 1} is no entry of a run; take the line out to run it again`, {
      cause: read.error,
    });
  });
  return new Map(entries.map((entry) => [entry.id, entry]));
}

function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RunFolderError(`${what} cannot be read: it is no JSON`, { cause });
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
