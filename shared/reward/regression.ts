import type { CallView } from "./call-view.ts";
import type { Edit } from "./edits.ts";
import { deducted, passed, type RuleScore, shownTool } from "./rule-result.ts";
import type { PlacedCall } from "./rule-step.ts";
import { readTestCounts } from "./test-results.ts";
import { wasRefused } from "./write-refused.ts";

/** Score of the last change before tests that had passed failed. */
const brokenTestsScore = 0.3;
/** Cores shorter than this (a brace, a blank line) occur all over a file and prove nothing. */
const tellingCore = 8;

/**
 * Whether a change goes back on earlier work: 0 for taking back an edit, restoring earlier content or
 * undoing; 0.3 for the last change before a test command that had passed in full shows failures; else 1.
 */
export function regressionScores(views: readonly CallView[]): readonly RuleScore[] {
  const tracker = new RegressionTracker();
  const scores: RuleScore[] = [];
  for (const view of views) {
    const { score, broken } = tracker.score(view);
    scores.push(score);
    if (broken !== null) scores[broken.change.index] = broken.score;
  }
  return scores;
}

/** An earlier change that turns out to have broken tests, and its new score. */
export interface BrokenTests {
  readonly change: PlacedCall;
  readonly score: RuleScore;
}

/** Regression of one call after another, each in time linear in its own size. */
export class RegressionTracker {
  readonly #history = new EditHistory();
  readonly #greenAt = new Map<string, CallView>();
  #lastChange: { readonly view: CallView; clean: boolean } | null = null;

  score(view: CallView): { readonly score: RuleScore; readonly broken: BrokenTests | null } {
    const refused = wasRefused(view);
    const score = view.edits.length > 0 && !refused ? this.#judge(view) : passed;
    if ((view.effect === "target" || view.effect === "world") && !refused) {
      this.#lastChange = { view, clean: score === passed };
    }
    return { score, broken: view.shell === "tests" ? this.#tested(view) : null };
  }

  /** The first fault that is found counts; all edits are remembered. */
  #judge(view: CallView): RuleScore {
    let score = passed;
    for (const edit of view.edits) {
      const found = this.#history.judge(edit, view.at.step);
      if (found !== null && score === passed) {
        score = deducted(found.code, 0, `${shownTool(view.at.tool)} ${found.what}`);
      }
    }
    return score;
  }

  #tested(view: CallView): BrokenTests | null {
    const counts = readTestCounts(view.at.output);
    if (counts === null) return null;
    const green = this.#greenAt.get(view.key);
    if (counts.failed === 0 && counts.passed > 0) this.#greenAt.set(view.key, view);
    if (counts.failed === 0 || green === undefined) return null;
    this.#greenAt.delete(view.key);
    const change = this.#lastChange;
    if (change === null || change.view.at.index < green.at.index || !change.clean) return null;
    change.clean = false;
    const { at } = change.view;
    const what = `after ${shownTool(at.tool)} the tests that passed in step ${green.at.step} fail in step ${view.at.step}`;
    return { change: at, score: deducted("tests_broken", brokenTestsScore, what) };
  }
}

interface Finding {
  readonly code: "reverted_edit" | "restored_content" | "undone_edit";
  readonly what: string;
}

/** Every edit so far, by file. */
class EditHistory {
  /** Replacement (as its key) → step. */
  readonly #replaced = new Map<string, number>();
  /** File and region → contents it has had → step; `current` is the one it has now, if that is known. */
  readonly #contents = new Map<string, { readonly had: Map<string, number>; current: string | null }>();
  readonly #edited = new Map<string, number>();
  readonly #lastReplacement = new Map<string, { readonly before: string; readonly after: string }>();

  judge(edit: Edit, step: number): Finding | null {
    const finding =
      edit.kind === "replace"
        ? this.#replace(edit.target, edit.before, edit.after, step)
        : edit.kind === "content"
          ? this.#content(edit.target, edit.region, edit.text, step)
          : this.#undo(edit.target, step);
    this.#edited.set(edit.target, step);
    return finding;
  }

  #replace(target: string, before: string, after: string, step: number): Finding | null {
    if (before === after) return null;
    const whole = { before, after };
    const core = coreOf(before, after);
    const forms = core !== null && sizeOf(core) >= tellingCore ? [whole, core] : [whole];
    let undone: number | undefined;
    for (const form of forms) undone ??= this.#replaced.get(replacementKey(target, form.after, form.before));
    for (const form of forms) this.#replaced.set(replacementKey(target, form.before, form.after), step);
    this.#lastReplacement.set(target, whole);
    const content = this.#contents.get(`${target}\u0000`);
    if (content !== undefined) content.current = null;
    return undone === undefined
      ? null
      : { code: "reverted_edit", what: `reverts the edit of step ${undone}` };
  }

  #content(target: string, region: string, text: string, step: number): Finding | null {
    const key = `${target}\u0000${region}`;
    const state = this.#contents.get(key) ?? { had: new Map<string, number>(), current: null };
    this.#contents.set(key, state);
    const trimmed = text.trim();
    const had = state.current === trimmed ? undefined : state.had.get(trimmed);
    state.had.set(trimmed, step);
    state.current = trimmed;
    // Emptying a region twice says little; text that comes back does.
    if (had === undefined || trimmed === "") return null;
    return { code: "restored_content", what: `restores what step ${had} had written` };
  }

  #undo(target: string, step: number): Finding | null {
    const edited = this.#edited.get(target);
    if (edited === undefined) return null;
    const last = this.#lastReplacement.get(target);
    if (last !== undefined) this.#replaced.set(replacementKey(target, last.after, last.before), step);
    this.#lastReplacement.delete(target);
    const whole = this.#contents.get(`${target}\u0000`);
    if (whole !== undefined) whole.current = null;
    return { code: "undone_edit", what: `undoes the edit of step ${edited}` };
  }
}

function replacementKey(target: string, before: string, after: string): string {
  return `${target}\u0000${before.length}\u0000${before}\u0000${after}`;
}

function sizeOf(change: { readonly before: string; readonly after: string }): number {
  return change.before.trim().length + change.after.trim().length;
}

/**
 * The lines a replacement really changes: without those that stand at the start or end of both texts. Null
 * where that is all of them.
 */
function coreOf(before: string, after: string): { readonly before: string; readonly after: string } | null {
  if (!before.includes("\n") && !after.includes("\n")) return null;
  const old = before.split("\n");
  const now = after.split("\n");
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < most - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++;
  if (head + tail === 0) return null;
  return {
    before: old.slice(head, old.length - tail).join("\n"),
    after: now.slice(head, now.length - tail).join("\n"),
  };
}
