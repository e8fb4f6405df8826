import type { CallFacts } from "../reward/call-facts.ts";
import type { Edit } from "../reward/edits.ts";
import type { CriticStep } from "./critic-step.ts";
import { type FeatureGroup, type FeatureGroupSpec, flag, logOf, share } from "./feature-group.ts";

/**
 * What was changed. A file that a call of the run created is the run's own (a reproduction, a scratch file);
 * changes to any other are changes to the work itself.
 */
export const editFeatures: FeatureGroupSpec = {
  features: [
    ["edits_applied", "ln(1 + edits that were made)"],
    ["edits_refused_share", "edits refused ÷ edits", "down"],
    ["edits_refused_last", "the last edit was refused", "down"],
    ["work_edits", "ln(1 + edits of files that the run did not create)"],
    ["work_edited", "there is such an edit", "up"],
    ["work_files", "ln(1 + different such files)"],
    ["work_edits_same_file", "ln(1 + edits of the one that was edited most)", "down"],
    ["work_size", "ln(1 + characters that such edits put in)"],
    ["work_removed_size", "ln(1 + characters that such edits replaced)"],
    ["work_last_size", "ln(1 + characters that the last such edit put in)"],
    ["test_files_edited", "a file was edited whose name has `test` in it"],
    ["own_files", "ln(1 + files created)"],
    ["own_files_removed_share", "files created and removed again ÷ files created", "up"],
    ["edits_taken_back", "ln(1 + edits that undo an earlier one)", "down"],
    [
      "steps_before_edit",
      "ln(1 + steps before the first edit of the work, or up to now without one)",
      "down",
      "relative",
    ],
    ["steps_since_edit", "ln(1 + steps since the last edit of the work; 0 without one)"],
    ["edit_position", "step of the last edit of the work ÷ steps; 0 without one"],
    ["reads_before_edit", "ln(1 + reads and searches before the first edit of the work)", "down"],
    ["edit_unseen_share", "edits of the work in files that were not read before ÷ edits of the work"],
  ],
  create: () => new EditGroup(),
};

class EditGroup implements FeatureGroup {
  #steps = 0;
  #applied = 0;
  #refused = 0;
  #lastRefused = false;
  readonly #work = new WorkEdits();
  readonly #created = new Set<string>();
  readonly #removed = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #replaced = new Set<string>();
  #takenBack = 0;
  #testsEdited = false;
  #firstEditStep: number | null = null;
  #lastEditStep = 0;
  #looks = 0;

  add({ facts: step }: CriticStep): void {
    this.#steps++;
    for (const call of step.calls) {
      if (call.edit !== null) this.#edit(call, call.edit === "applied");
      this.#files(call);
      if (call.role === "read" || call.role === "search") {
        if (this.#firstEditStep === null) this.#looks++;
        if (call.view.target !== "") this.#seen.add(nameOf(call.view.target));
        else for (const word of wordsOf(call)) this.#seen.add(nameOf(word));
      }
    }
  }

  #edit(call: CallFacts, applied: boolean): void {
    this.#lastRefused = !applied;
    if (!applied) {
      this.#refused++;
      return;
    }
    this.#applied++;
    const changes = call.view.edits.length > 0 ? call.view.edits : [wholeOf(call)];
    for (const change of changes) {
      const name = nameOf(changes.length > 1 && change.target !== "" ? change.target : call.edited);
      if (call.files.creates.some((path) => nameOf(path) === name)) continue;
      if (/test/i.test(name)) this.#testsEdited = true;
      if (this.#isTakenBack(change)) this.#takenBack++;
      if (this.#created.has(name)) continue;
      this.#work.add(change, name, this.#seen.has(name));
      this.#firstEditStep ??= this.#steps;
      this.#lastEditStep = this.#steps;
    }
  }

  #files({ files }: CallFacts): void {
    for (const path of files.creates) this.#created.add(nameOf(path));
    for (const path of files.removes) {
      const name = nameOf(path);
      if (name === "*") for (const each of this.#created) this.#removed.add(each);
      else if (this.#created.has(name)) this.#removed.add(name);
    }
  }

  #isTakenBack(change: Edit): boolean {
    if (change.kind === "undo") return true;
    if (change.kind === "content" || change.before === change.after) return false;
    const { target, before, after } = change;
    this.#replaced.add(`${target}\u0000${before.length}\u0000${before}\u0000${after}`);
    return this.#replaced.has(`${target}\u0000${after.length}\u0000${after}\u0000${before}`);
  }

  values(): readonly number[] {
    const work = this.#work;
    const edited = this.#firstEditStep !== null;
    return [
      logOf(this.#applied),
      share(this.#refused, this.#applied + this.#refused),
      flag(this.#lastRefused),
      logOf(work.count),
      flag(edited),
      logOf(work.files.size),
      logOf(work.most),
      logOf(work.added),
      logOf(work.removed),
      logOf(work.lastAdded),
      flag(this.#testsEdited),
      logOf(this.#created.size),
      share(this.#removed.size, this.#created.size),
      logOf(this.#takenBack),
      logOf(this.#firstEditStep === null ? this.#steps : this.#firstEditStep - 1),
      edited ? logOf(this.#steps - this.#lastEditStep) : 0,
      edited ? share(this.#lastEditStep, this.#steps) : 0,
      logOf(this.#looks),
      share(work.unseen, work.count),
    ];
  }
}

class WorkEdits {
  count = 0;
  most = 0;
  added = 0;
  removed = 0;
  lastAdded = 0;
  unseen = 0;
  readonly files = new Map<string, number>();

  add(change: Edit, name: string, seen: boolean): void {
    this.count++;
    const count = (this.files.get(name) ?? 0) + 1;
    this.files.set(name, count);
    this.most = Math.max(this.most, count);
    if (count === 1 && !seen) this.unseen++;
    this.lastAdded =
      change.kind === "undo" ? 0 : change.kind === "content" ? change.text.length : change.after.length;
    this.added += this.lastAdded;
    if (change.kind === "replace") this.removed += change.before.length;
  }
}

/** An edit whose text is not known, such as one by a script. */
function wholeOf(call: CallFacts): Edit {
  return { kind: "content", target: call.edited, region: "", text: "" };
}

/** Paths are told apart by their last part: one file has absolute and relative ones. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Words of a short command that may be paths. */
function wordsOf({ view }: CallFacts): readonly string[] {
  const command = view.at.params["command"] ?? view.at.params["cmd"];
  if (typeof command !== "string") return [];
  return command
    .slice(0, 500)
    .split(/[\s'"|;&<>()]+/)
    .filter((word) => word.includes("."));
}
