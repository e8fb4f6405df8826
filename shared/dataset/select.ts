import type { CatalogEntry } from "../contracts/catalog-row.ts";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { gdiScore } from "../curation/gdi.ts";

export interface SelectedTrajectory {
  readonly id: string;
  readonly taskKey: string;
  readonly revision: string;
  /** null: its score did not come in time. */
  readonly scorer: string | null;
  readonly reward: number | null;
  readonly domain: string;
  readonly agentSteps: number;
}

/** What filters that look at one trajectory alone go by. */
export type OwnFacts = Pick<
  CatalogEntry,
  "domain" | "agent" | "model" | "format" | "success" | "agentSteps" | "scorer" | "reward"
>;

/**
 * The first filter a trajectory fails whatever others there are; undefined where it may get in. `overdue`: it need not
 * have a score any more.
 */
export function reasonInItself(
  entry: OwnFacts,
  request: DatasetRequest,
  overdue = false,
): string | undefined {
  if (request.domain !== undefined && entry.domain !== request.domain) return "other domain";
  if (request.agent !== undefined && entry.agent !== request.agent) return "other agent";
  if (request.model !== undefined && entry.model !== request.model) return "other model";
  if (request.sourceFormat !== undefined && entry.format !== request.sourceFormat) return "other log format";
  const label = entry.success === null ? "unknown" : entry.success ? "true" : "false";
  if (!request.success.includes(label)) {
    return label === "unknown" ? "no outcome label" : label === "true" ? "succeeded" : "did not succeed";
  }
  if (entry.agentSteps === 0) return "the agent never acts";
  if (request.minSteps !== undefined && entry.agentSteps < request.minSteps) return "too few steps";
  if (request.maxSteps !== undefined && entry.agentSteps > request.maxSteps) return "too many steps";
  if (entry.scorer === null && !overdue) return "not scored yet";
  if (request.minReward !== undefined && (entry.reward ?? 0) < request.minReward)
    return "reward below the minimum";
  return undefined;
}

/** Picks the trajectories of a dataset from catalog entries that come best first, and counts why others stay out. */
export class Selector {
  readonly selected: SelectedTrajectory[] = [];
  readonly excluded: Record<string, number> = {};
  /** Attempts with a verdict at each task, of all that was offered: how hard it is. */
  readonly verdicts = new Map<string, { known: number; solved: number }>();
  considered = 0;
  readonly #request: DatasetRequest;
  readonly #now: number;
  readonly #contents = new Set<string>();
  readonly #perTask = new Map<string, number>();

  constructor(request: DatasetRequest, now: number) {
    this.#request = request;
    this.#now = now;
  }

  offer(entry: CatalogEntry): void {
    this.considered += 1;
    this.#note(entry);
    const reason = this.#reasonAgainst(entry);
    if (reason !== undefined) {
      this.excluded[reason] = (this.excluded[reason] ?? 0) + 1;
      return;
    }
    this.#contents.add(entry.contentId);
    this.#perTask.set(entry.taskKey, (this.#perTask.get(entry.taskKey) ?? 0) + 1);
    const { id, taskKey, revision, scorer, reward, domain, agentSteps } = entry;
    this.selected.push({ id, taskKey, revision, scorer, reward, domain, agentSteps });
  }

  #note({ taskKey, success, supersededBy }: CatalogEntry): void {
    if (success === null || supersededBy !== null || this.#request.mix?.order !== "easy-first") return;
    const task = this.verdicts.get(taskKey) ?? { known: 0, solved: 0 };
    this.verdicts.set(taskKey, task);
    task.known += 1;
    if (success) task.solved += 1;
  }

  /** The first filter an entry fails; filters that say what it is come before those that compare it with others. */
  #reasonAgainst(entry: CatalogEntry): string | undefined {
    const request = this.#request;
    if (entry.supersededBy !== null) return "superseded by a longer log of the session";
    const own = reasonInItself(entry, request, this.#isOverdue(entry));
    if (own !== undefined) return own;
    if (request.createdAfter !== undefined && entry.createdAt < Date.parse(request.createdAfter))
      return "came in too early";
    if (request.createdBefore !== undefined && entry.createdAt >= Date.parse(request.createdBefore))
      return "came in too late";
    if (request.minGdi !== undefined && this.#gdi(entry) < request.minGdi) return "GDI below the minimum";
    if (request.dedup !== "off" && this.#contents.has(entry.contentId))
      return "same actions and observations as a better one";
    if (request.perTask !== undefined && (this.#perTask.get(entry.taskKey) ?? 0) >= request.perTask) {
      return "enough of its task";
    }
    if (request.limit !== undefined && this.selected.length >= request.limit) return "over the limit";
    return undefined;
  }

  #isOverdue({ createdAt }: CatalogEntry): boolean {
    const minutes = this.#request.scoreDeadlineMinutes;
    return minutes !== undefined && this.#now - createdAt >= minutes * 60_000;
  }

  #gdi(entry: CatalogEntry): number {
    const { reward, exportCount, feedback, createdAt } = entry;
    return gdiScore({ reward, exportCount, feedbackScore: feedback, createdAt }, { now: this.#now }).total;
  }
}
