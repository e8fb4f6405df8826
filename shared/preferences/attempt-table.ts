import { CompactRows, type Rows } from "../columns/compact-rows.ts";
import type { GroupedRows } from "../columns/text-column.ts";
import type { CatalogEntry } from "../contracts/catalog-row.ts";
import { scorerScale } from "../reward/scorer-id.ts";
import type { TaskAttempts } from "./attempt.ts";

export type AttemptEntry = Pick<
  CatalogEntry,
  | ("id" | "contentId" | "taskKey" | "agentSteps" | "success" | "outcomeScore" | "scorer")
  | ("reward" | "outcome" | "process" | "efficiency")
>;

const ATTEMPT = {
  taskKey: "text",
  id: "digest",
  contentId: "digestOrNull",
  reward: "number",
  steps: "numberOrNull",
  success: "booleanOrNull",
  outcomeScore: "numberOrNull",
  scorer: "textOrNull",
  scale: "textOrNull",
} as const;

/** Tasks in the order of their keys, made anew at each walk; a walk holds one task at a time. */
export interface Tasks extends Rows<TaskAttempts> {
  /** Attempts of all of them. */
  readonly attempts: number;
}

/**
 * Attempts of all tasks. A catalog sorts by reward, so all have to be seen before a task is complete: of each about 110
 * bytes are kept, and of each task its key.
 *
 * A reward is a mean over the layers that are known, so one with a verdict and one without are different quantities;
 * `layers` says whether they may be compared all the same.
 */
export class AttemptTable {
  readonly #layers: "same" | "any";
  readonly #rows = new CompactRows(ATTEMPT);

  constructor({ layers }: { readonly layers: "same" | "any" }) {
    this.#layers = layers;
  }

  /** Why the entry is no attempt that may be compared; undefined where it is one, and kept. */
  add(entry: AttemptEntry): string | undefined {
    const { reward, agentSteps: steps } = entry;
    if (steps === 0) return "the agent never acts";
    if (entry.scorer === null) return "not scored yet";
    if (reward === null) return "nothing could be scored";
    this.#rows.push({ ...entry, reward, steps, scale: scaleOf(entry, this.#layers) });
    return undefined;
  }

  /** The attempts of each task stand as they came. */
  tasks(): Tasks {
    const groups = this.#rows.grouped("taskKey");
    const places = Uint32Array.from({ length: groups.length }, (_, place) => place);
    return new TaskView({ rows: this.#rows, groups, places });
  }

  /** Whole tasks, as long as their attempts are no more than `limit` in all; what does not fit is told by number. */
  tasksWithin(limit: number, leftOut: (attempts: number) => void): Tasks {
    const groups = this.#rows.grouped("taskKey");
    let count = 0;
    const places: number[] = [];
    for (let place = 0; place < groups.length; place += 1) {
      const { length } = groups.at(place).rows;
      if (count + length > limit) leftOut(length);
      else {
        count += length;
        places.push(place);
      }
    }
    return new TaskView({ rows: this.#rows, groups, places: Uint32Array.from(places) });
  }
}

class TaskView implements Tasks {
  readonly #rows: CompactRows<typeof ATTEMPT>;
  readonly #groups: GroupedRows;
  readonly #places: Uint32Array;
  readonly attempts: number;

  constructor(of: {
    readonly rows: CompactRows<typeof ATTEMPT>;
    readonly groups: GroupedRows;
    readonly places: Uint32Array;
  }) {
    this.#rows = of.rows;
    this.#groups = of.groups;
    this.#places = of.places;
    this.attempts = of.places.reduce((sum, place) => sum + of.groups.at(place).rows.length, 0);
  }

  get length(): number {
    return this.#places.length;
  }

  *[Symbol.iterator](): Generator<TaskAttempts> {
    for (const place of this.#places) {
      const { text: task, rows } = this.#groups.at(place);
      const attempts = Array.from(rows, (index) => {
        const { taskKey: _, ...attempt } = this.#rows.at(index);
        return attempt;
      });
      yield { task, attempts };
    }
  }
}

function scaleOf(entry: AttemptEntry, layers: "same" | "any"): string {
  const known = (["outcome", "process", "efficiency"] as const).filter((layer) => entry[layer] !== null);
  const scorer = entry.scorer ?? "";
  return layers === "any" ? (scorer.split("-")[0] ?? "") : [scorerScale(scorer), ...known].join(" ");
}
