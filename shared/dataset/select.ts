import { CompactRows, type RowOf } from "../columns/compact-rows.ts";
import { DigestSet } from "../columns/digest-set.ts";
import type { CatalogEntry } from "../contracts/catalog-row.ts";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { gdiOf } from "../curation/gdi.ts";
import { goesByDifficulty } from "../curation/mix.ts";
import { targetOf } from "./targets/targets.ts";

/** What is held of each selected trajectory. */
const SELECTED = {
  id: "digest",
  taskKey: "text",
  revision: "text",
  /** null: its score did not come in time. */
  scorer: "textOrNull",
  success: "booleanOrNull",
  reward: "numberOrNull",
  domain: "text",
  agentSteps: "number",
  /** At the moment of the export; null where the order does not go by it. */
  gdi: "numberOrNull",
} as const;

export type SelectedTrajectory = RowOf<typeof SELECTED>;

/** Selected trajectories, some 80 bytes each. */
export class SelectedTrajectories extends CompactRows<typeof SELECTED> {
  constructor(rows: Iterable<SelectedTrajectory> = []) {
    super(SELECTED);
    for (const row of rows) this.push(row);
  }
}

/** What filters that look at one trajectory alone go by. */
export type OwnFacts = Pick<
  CatalogEntry,
  "domain" | "agent" | "model" | "format" | "success" | "agentSteps" | "scorer" | "reward"
>;

/** Examples to follow should have succeeded; what compares attempts, or tells good from bad, needs both. */
export function wantedVerdicts({ success, target }: DatasetRequest): NonNullable<DatasetRequest["success"]> {
  if (success !== undefined) return success;
  const { kind } = targetOf(target);
  if (kind === "sft") return ["true"];
  return kind === "kto" ? ["true", "false"] : ["true", "false", "unknown"];
}

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
  if (!wantedVerdicts(request).includes(label)) {
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
  readonly selected = new SelectedTrajectories();
  readonly excluded: Record<string, number> = {};
  /** Attempts with a verdict at each task, of all that was offered: how hard it is. */
  readonly verdicts = new Map<string, { known: number; solved: number }>();
  considered = 0;
  readonly #request: DatasetRequest;
  readonly #now: number;
  readonly #contents = new DigestSet();
  readonly #perTask = new Map<string, number>();

  constructor(request: DatasetRequest, now: number) {
    this.#request = request;
    this.#now = now;
  }

  /** Whether it is selected. */
  offer(entry: CatalogEntry): boolean {
    this.considered += 1;
    this.#note(entry);
    const reason = this.#reasonAgainst(entry);
    if (reason !== undefined) {
      this.excluded[reason] = (this.excluded[reason] ?? 0) + 1;
      return false;
    }
    this.#contents.add(entry.contentId);
    this.#perTask.set(entry.taskKey, (this.#perTask.get(entry.taskKey) ?? 0) + 1);
    const gdi = this.#request.mix?.order === "gdi" ? gdiOf(entry, this.#now).total : null;
    this.selected.push({ ...entry, gdi });
    return true;
  }

  #note({ taskKey, success, supersededBy }: CatalogEntry): void {
    if (success === null || supersededBy !== null || !goesByDifficulty(this.#request.mix)) return;
    const task = this.verdicts.get(taskKey) ?? { known: 0, solved: 0 };
    this.verdicts.set(taskKey, task);
    task.known += 1;
    if (success) task.solved += 1;
  }

  /** The first filter an entry fails; filters that say what it is come before those that compare it with others. */
  #reasonAgainst(entry: CatalogEntry): string | undefined {
    const request = this.#request;
    const own = reasonAmongAll(entry, { request, now: this.#now });
    if (own !== undefined) return own;
    if (request.dedup !== "off" && this.#contents.has(entry.contentId))
      return "same actions and observations as a better one";
    if (request.perTask !== undefined && (this.#perTask.get(entry.taskKey) ?? 0) >= request.perTask) {
      return "enough of its task";
    }
    if (request.limit !== undefined && this.selected.length >= request.limit) return "over the limit";
    return undefined;
  }
}

/** The first filter a trajectory fails that does not look at what else was selected. `now` in milliseconds. */
export function reasonAmongAll(
  entry: CatalogEntry,
  { request, now }: { readonly request: DatasetRequest; readonly now: number },
): string | undefined {
  if (entry.supersededBy !== null) return "superseded by a longer log of the session";
  const minutes = request.scoreDeadlineMinutes;
  const overdue = minutes !== undefined && now - entry.createdAt >= minutes * 60_000;
  const own = reasonInItself(entry, request, overdue);
  if (own !== undefined) return own;
  if (request.createdAfter !== undefined && entry.createdAt < Date.parse(request.createdAfter))
    return "came in too early";
  if (request.createdBefore !== undefined && entry.createdAt >= Date.parse(request.createdBefore))
    return "came in too late";
  return request.minGdi !== undefined && gdiOf(entry, now).total < request.minGdi
    ? "GDI below the minimum"
    : undefined;
}
