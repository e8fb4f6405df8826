import { SPLIT_NAMES, type SplitName } from "../split.ts";
import type { Target } from "../targets/target.ts";
import {
  CHECK_IDS,
  CHECKS,
  type CheckId,
  type CheckPlace,
  type CheckResult,
  type CheckSettings,
} from "./checks.ts";
import type { RowInspection } from "./inspect-row.ts";
import { PromptLeaks, type RowPlace } from "./prompt-leaks.ts";
import { SplitTable } from "./split-table.ts";

/** A row on its way through the checks; what is not known of it is null. */
export interface CheckedRow {
  readonly split: SplitName;
  readonly inspection: RowInspection;
  readonly task: string | null;
  /** The trajectories it is made of. */
  readonly members: readonly {
    readonly id: string | null;
    readonly contentId: string | null;
    readonly repo: string | null;
  }[];
}

export interface CheckPlan {
  readonly target: Target;
  readonly settings: CheckSettings;
  /** What keeps rows together: all rows of a task, or of a repository, stand in one split. */
  readonly splitBy: "task" | "repository";
  /** Splits that should have rows; not given where nobody knows. */
  readonly wanted?: readonly SplitName[];
}

interface Finding {
  count: number;
  readonly places: CheckPlace[];
}

/** From so few labels no share is taken. */
const LEAST_LABELS = 20;

/** Takes the inspections of all rows, in the order of the files, and says what the checks found. */
export class RowChecks {
  readonly #plan: CheckPlan;
  readonly #found = new Map<CheckId, Finding>();
  readonly #skipped = new Map<CheckId, string>();
  readonly #rows: Record<SplitName, number> = { train: 0, validation: 0, test: 0 };
  readonly #tasks = new SplitTable();
  readonly #repositories = new SplitTable();
  readonly #contents = new SplitTable();
  readonly #prompts = new PromptLeaks();
  readonly #told = { tasks: false, repositories: false, contents: false };
  readonly #labels = { good: 0, bad: 0, rows: 0 };
  readonly #pairs = { longer: 0, rows: 0 };
  #group: OpenGroup | undefined;
  #groups = 0;

  constructor(plan: CheckPlan) {
    this.#plan = plan;
  }

  add(checked: CheckedRow): void {
    const { split, inspection } = checked;
    this.#rows[split] += 1;
    const id = checked.members[0]?.id ?? inspection.origin.id ?? checked.task;
    const place = { split: SPLIT_NAMES.indexOf(split) + 1, row: this.#rows[split], id };
    this.#addRow(inspection, place);
    this.#addLeaks(checked, place);
    this.#addPair(inspection, place);
    this.#addGroup(inspection, place);
    const { labels } = inspection;
    if (labels !== undefined) {
      this.#labels.rows += 1;
      this.#labels.good += labels.good;
      this.#labels.bad += labels.bad;
    }
  }

  /** What all checks found, in the order of `CHECKS`. */
  finish(): readonly CheckResult[] {
    this.#closeGroup();
    this.#finishLabels();
    this.#finishPairs();
    this.#finishGroups();
    this.#finishLeaks();
    this.#finishSplits();
    if (this.#plan.settings.maxTokens === undefined)
      this.#skip("over-length", "dataset.checks.maxTokens is not set");
    return CHECK_IDS.map((id) => this.#result(id));
  }

  #addRow(inspection: RowInspection, place: RowPlace): void {
    const { missing, unknown, isPromptEmpty, emptyTurns, tokens, secrets } = inspection;
    const { maxTokens = Number.POSITIVE_INFINITY } = this.#plan.settings;
    if (missing.length > 0) this.#find("missing-values", place, missing.join(", "));
    if (unknown.length > 0) this.#find("unknown-columns", place, unknown.join(", "));
    if (isPromptEmpty) this.#find("empty-prompt", place);
    if (emptyTurns > 0) this.#find("empty-assistant", place);
    if (tokens > maxTokens) this.#find("over-length", place, `${tokens} tokens`);
    const found = Object.keys(secrets);
    if (found.length > 0) this.#find("secrets", place, found.join(", "));
  }

  #addLeaks({ task, members, inspection }: CheckedRow, place: RowPlace): void {
    if (task !== null) {
      this.#told.tasks = true;
      if (this.#tasks.note(task, place) !== undefined) this.#find("leak-task", place);
    }
    for (const { contentId, repo } of members) {
      if (contentId !== null) {
        this.#told.contents = true;
        if (this.#contents.note(contentId, place) !== undefined) this.#find("leak-content", place);
      }
      if (repo === null || this.#plan.splitBy === "task") continue;
      this.#told.repositories = true;
      if (this.#repositories.note(repo, place) !== undefined) this.#find("leak-repository", place);
    }
    if (inspection.prompt !== undefined) this.#prompts.add(inspection.prompt, place);
  }

  #addPair({ pair }: RowInspection, place: RowPlace): void {
    if (pair === undefined) return;
    this.#pairs.rows += 1;
    if (pair.isChosenLonger) this.#pairs.longer += 1;
    if (pair.isOneSided) this.#find("one-sided-pairs", place);
  }

  /** Rows of a group follow each other. */
  #addGroup({ group }: RowInspection, place: RowPlace): void {
    if (group === undefined) return;
    if (this.#group?.name !== group.name || group.size === null) this.#closeGroup();
    this.#group ??= { name: group.name, size: group.size, place, rewards: [] };
    this.#group.rewards.push(...group.rewards);
    if (group.size === null) this.#closeGroup();
  }

  #closeGroup(): void {
    const group = this.#group;
    if (group === undefined) return;
    this.#group = undefined;
    this.#groups += 1;
    const [first] = group.rewards;
    const what = `${group.rewards.length} rewards`;
    if (group.rewards.every((reward) => reward === first)) this.#find("equal-rewards", group.place, what);
    if (group.size !== null && group.rewards.length < group.size)
      this.#find("incomplete-groups", group.place, `${what} of ${group.size}`);
  }

  #finishLabels(): void {
    const { good, bad, rows } = this.#labels;
    if (rows === 0) {
      for (const id of ["one-sided-labels", "label-imbalance"] as const)
        this.#skip(id, "the rows have no labels");
      return;
    }
    const rarer = Math.min(good, bad);
    const what = `${good} good, ${bad} bad`;
    if (rarer === 0) this.#count("one-sided-labels", { count: good + bad, what });
    if (good + bad < LEAST_LABELS) this.#skip("label-imbalance", `fewer than ${LEAST_LABELS} labels`);
    else if (rarer < (good + bad) * this.#plan.settings.minLabelShare)
      this.#count("label-imbalance", { count: rarer, what });
  }

  #finishPairs(): void {
    const { longer, rows } = this.#pairs;
    if (rows === 0) {
      for (const id of ["one-sided-pairs", "longer-chosen"] as const) this.#skip(id, "the rows are no pairs");
    } else if (rows < LEAST_LABELS) this.#skip("longer-chosen", `fewer than ${LEAST_LABELS} pairs`);
    else if (longer > rows * this.#plan.settings.maxLongerShare)
      this.#count("longer-chosen", { count: longer, what: `of ${rows}` });
  }

  #finishGroups(): void {
    if (this.#groups > 0) return;
    for (const id of ["equal-rewards", "incomplete-groups"] as const)
      this.#skip(id, "the rows are no groups with rewards");
  }

  #finishLeaks(): void {
    const { tasks, repositories, contents } = this.#told;
    if (!tasks) this.#skip("leak-task", "the rows name no task");
    if (!contents) this.#skip("leak-content", "the rows name no content_id");
    if (this.#plan.splitBy === "task") this.#skip("leak-repository", "the set is split by task");
    else if (!repositories) this.#skip("leak-repository", "the rows name no repository");
    const { places, left } = this.#prompts.finish(this.#plan.settings.nearText);
    for (const place of places) this.#find("leak-text", place);
    if (left > 0) this.#skip("leak-text", `${left} prompts were compared for equality only`);
  }

  #finishSplits(): void {
    const { wanted } = this.#plan;
    if (wanted === undefined) this.#skip("empty-split", "the shares of the splits are not known");
    for (const split of wanted ?? []) {
      if (this.#rows[split] === 0) this.#count("empty-split", { count: 1, what: split, split });
    }
  }

  #find(id: CheckId, { split, row, id: about }: RowPlace, what?: string): void {
    const place = {
      split: SPLIT_NAMES[split - 1] ?? "",
      row,
      ...(about === null ? {} : { id: about }),
      ...(what === undefined ? {} : { what }),
    };
    const finding = this.#findingOf(id);
    finding.count += 1;
    if (finding.places.length < this.#plan.settings.places) finding.places.push(place);
  }

  /** Something of the whole set. */
  #count(
    id: CheckId,
    { count, what, split }: { readonly count: number; readonly what: string; readonly split?: SplitName },
  ): void {
    const finding = this.#findingOf(id);
    finding.count += Math.max(1, count);
    if (finding.places.length < this.#plan.settings.places)
      finding.places.push({ split: split ?? "all", row: 0, what });
  }

  #findingOf(id: CheckId): Finding {
    const finding = this.#found.get(id) ?? { count: 0, places: [] };
    this.#found.set(id, finding);
    return finding;
  }

  #skip(id: CheckId, note: string): void {
    this.#skipped.set(id, note);
  }

  #result(id: CheckId): CheckResult {
    const { settings } = this.#plan;
    const severity = settings.fail.includes(id) ? "fail" : CHECKS[id].severity;
    const { count, places } = this.#found.get(id) ?? { count: 0, places: [] };
    const note = this.#skipped.get(id);
    const threshold = thresholdOf(id, settings);
    const isAllowed = settings.allow.includes(id);
    const found = severity === "warn" ? "warned" : isAllowed ? "allowed" : "failed";
    const outcome = count > 0 ? found : note === undefined || id === "leak-text" ? "passed" : "skipped";
    return {
      id,
      severity,
      outcome,
      ...(threshold === undefined ? {} : { threshold }),
      count,
      places,
      ...(note === undefined ? {} : { note }),
    };
  }
}

interface OpenGroup {
  readonly name: string;
  readonly size: number | null;
  readonly place: RowPlace;
  readonly rewards: number[];
}

function thresholdOf(id: CheckId, settings: CheckSettings): number | undefined {
  if (id === "over-length") return settings.maxTokens;
  if (id === "leak-text") return settings.nearText;
  if (id === "label-imbalance") return settings.minLabelShare;
  return id === "longer-chosen" ? settings.maxLongerShare : undefined;
}
