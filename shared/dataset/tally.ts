import type { CountedBy } from "../tokenizer/token-counter.ts";
import type { Manifest } from "./manifest.ts";

type Tokens = Pick<NonNullable<Manifest["statistics"]["tokens"]>, "by" | "of" | "tokenizer">;

/** What exactly a row was rendered from: the line of the inputs file. */
export interface RowSource {
  readonly contentId: string;
  readonly revision: string;
  readonly scorer: string | null;
}

/** Facts of one rendered row that the manifest adds up. */
export interface RowFacts extends RowSource {
  readonly reward: number | null;
  readonly success: boolean | null;
  readonly domain: string;
  readonly format: string;
  readonly agent: string;
  readonly model: string | null;
  readonly redactions: number;
  readonly messages: number;
  readonly trained: number;
  /** Of all its texts, estimated; where a tokenizer was given, what that counts. */
  readonly tokens: number;
  /** As the source names it. */
  readonly repo: string | null;
  /** Steps of the agent. */
  readonly steps: number;
  /** Calls of the agent by tool. */
  readonly calls: Readonly<Record<string, number>>;
  /** Places that were redacted, by type. */
  readonly redacted: Readonly<Record<string, number>>;
}

/** Adds up the statistics of a dataset row by row. */
export class Tally {
  #rewards = { sum: 0, count: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  readonly #by = {
    success: new Map<string, number>(),
    domain: new Map<string, number>(),
    format: new Map<string, number>(),
    agent: new Map<string, number>(),
    model: new Map<string, number>(),
  };
  #redactions = 0;
  #messages = 0;
  #trained = 0;
  readonly #tokens = { sum: 0, count: 0, min: Number.POSITIVE_INFINITY, max: 0 };
  readonly #counting: Tokens;

  /** @param counted how tokens were counted; without it they were estimated */
  constructor(counted?: { readonly by: CountedBy }) {
    this.#counting =
      counted === undefined ? { by: "estimate", of: "texts" } : { by: "tokenizer", ...counted.by };
  }

  add(row: RowFacts): void {
    if (row.reward !== null) {
      this.#rewards.sum += row.reward;
      this.#rewards.count += 1;
      this.#rewards.min = Math.min(this.#rewards.min, row.reward);
      this.#rewards.max = Math.max(this.#rewards.max, row.reward);
    }
    count(this.#by.success, row.success === null ? "unknown" : String(row.success));
    count(this.#by.domain, row.domain);
    count(this.#by.format, row.format);
    count(this.#by.agent, row.agent);
    count(this.#by.model, row.model ?? "unknown");
    this.#redactions += row.redactions;
    this.#messages += row.messages;
    this.#trained += row.trained;
    this.#tokens.sum += row.tokens;
    this.#tokens.count += 1;
    this.#tokens.min = Math.min(this.#tokens.min, row.tokens);
    this.#tokens.max = Math.max(this.#tokens.max, row.tokens);
  }

  statistics(): Manifest["statistics"] {
    const { sum, count: n, min, max } = this.#rewards;
    return {
      reward_mean: n === 0 ? null : Math.round((sum / n) * 1e4) / 1e4,
      reward_min: n === 0 ? null : min,
      reward_max: n === 0 ? null : max,
      by_success: sorted(this.#by.success),
      by_domain: sorted(this.#by.domain),
      by_format: sorted(this.#by.format),
      by_agent: sorted(this.#by.agent),
      by_model: sorted(this.#by.model),
      redactions: this.#redactions,
      messages: this.#messages,
      trained_messages: this.#trained,
      tokens: {
        total: this.#tokens.sum,
        min: this.#tokens.count === 0 ? null : this.#tokens.min,
        max: this.#tokens.count === 0 ? null : this.#tokens.max,
        mean: this.#tokens.count === 0 ? null : Math.round((this.#tokens.sum / this.#tokens.count) * 10) / 10,
        ...this.#counting,
      },
    };
  }
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function sorted(map: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
