import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { CatalogEntry } from "../contracts/catalog-row.ts";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import type { CurationSection } from "../curation/curation-section.ts";
import type { Manifest } from "../dataset/manifest.ts";
import { type TargetId, targetOf } from "../dataset/targets/targets.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { Clock } from "../ports/clock.ts";
import type { Counts } from "../preferences/counts.ts";
import type { CountedTokens } from "../tokenizer/token-counter.ts";
import type { TokenizerReader } from "../tokenizer/tokenizer-files.ts";
import type { DatasetSettings, EvaluationReader } from "./curate.ts";
import type { MadeRow, RowPorts } from "./dataset-rows.ts";

/** What a dataset will be made of, before anything of it is read. */
export interface DatasetPlan {
  readonly version: string;
  /** What the version was made by, as the manifest keeps it. */
  readonly settings: DatasetSettings;
  /** What curation compared and left out, where it was asked for. */
  readonly curation?: CurationSection;
  /** Tokens by the request's tokenizer; absent where they are estimated along with the rows. */
  readonly tokens?: CountedTokens;
  /** How many trajectories there were to choose from, and how many may get in. */
  readonly considered: number;
  readonly trajectories: number;
  /** Trajectories left out, by reason; grows while rows are made. */
  readonly excluded: Counts;
  /** The rows, those of one task after another. */
  rows(): AsyncIterable<MadeRow>;
  /** By which key a task is split. */
  splitKey(task: string): string;
  /** What else the manifest says of the selection, once the rows are made. */
  facts(): Partial<Manifest["selection"]>;
}

/** What planning a dataset needs. */
export interface PlanPorts extends RowPorts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** More trajectories than this, or more bytes of their logs, are not written: DatasetTooLargeError. */
  readonly maxRows?: number;
  readonly maxBytes?: number;
  /** Reads the evaluation sets that a request names in `against`. */
  readonly evaluations?: EvaluationReader;
  /** Reads the tokenizer that a request names. */
  readonly tokenizers?: TokenizerReader;
}

/** More was selected than this process may write; nothing was written. */
export class DatasetTooLargeError extends Error {
  override readonly name = "DatasetTooLargeError";
  constructor(name: string, most: string) {
    super(`the dataset "${name}" would be made of more than ${most}, too much for this process`);
  }
}

/** Counts what is selected, so that too much is known before all of it was looked at. */
export class SizeLimit {
  readonly #request: DatasetRequest;
  readonly #maxRows: number;
  readonly #maxBytes: number;
  #rows = 0;
  #bytes = 0;

  constructor(
    request: DatasetRequest,
    { maxRows = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY }: PlanPorts,
  ) {
    this.#request = request;
    this.#maxRows = maxRows;
    this.#maxBytes = maxBytes;
  }

  /** @throws DatasetTooLargeError */
  add({ sourceBytes }: Pick<CatalogEntry, "sourceBytes">): void {
    this.#rows += 1;
    this.#bytes += sourceBytes;
    const { name } = this.#request;
    if (this.#rows > this.#maxRows) throw new DatasetTooLargeError(name, `${this.#maxRows} trajectories`);
    if (this.#bytes > this.#maxBytes) throw new DatasetTooLargeError(name, `${this.#maxBytes} bytes of logs`);
  }
}

/** A running hash, without the types of Node, which users of the library need not have. */
export interface VersionHash {
  update(data: string | Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

/** The identity of a version: all that shapes it, to which the selected trajectories are added. Ends as 12 hex digits. */
export function versionHash(target: TargetId, settings: DatasetSettings): VersionHash {
  const layout = `gymline.${targetOf(target).format}.v2`;
  return createHash("sha256").update(canonicalize({ layout, request: settings }) ?? "");
}

export function versionText(hash: VersionHash): string {
  return hash.digest("hex").slice(0, 12);
}
