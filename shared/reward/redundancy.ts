import type { CallView } from "./call-view.ts";
import { deducted, passed, type RuleScore, shownTool } from "./rule-result.ts";
import { wasRefused } from "./write-refused.ts";

/**
 * Non-redundancy of every call: 0 for a read or search, 0.3 for anything else, that asks again for what an
 * earlier call asked although nothing it depends on changed in between. Asking differently (another line
 * range, another pattern) is no repetition, and neither is a call that brought a different answer.
 *
 * What a call depends on: a read with a target on that target; everything else on everything. Changes are
 * writes that were not refused, navigation, shell commands that may change files, and tools no profile
 * knows (for reads and searches).
 */
export function redundancyScores(views: readonly CallView[]): readonly RuleScore[] {
  const tracker = new RedundancyTracker();
  return views.map((view) => tracker.score(view));
}

/** Non-redundancy of one call after another, each in constant time. */
export class RedundancyTracker {
  readonly #seen = new Map<string, CallView>();
  readonly #changes = new ChangeLog();

  score(view: CallView): RuleScore {
    const before = this.#seen.get(view.key);
    this.#seen.set(view.key, view);
    const score =
      before === undefined ||
      view.repeatable ||
      this.#changes.since(before.at.index, view) ||
      answersDiffer(before, view)
        ? passed
        : repeated(before, view);
    this.#changes.record(view);
    return score;
  }
}

function repeated(before: CallView, view: CallView): RuleScore {
  const read = view.kind === "read" || view.kind === "search";
  return deducted(
    read ? "repeated_read" : "repeated_call",
    read ? 0 : 0.3,
    `${shownTool(view.at.tool)} repeats step ${before.at.step} and nothing changed in between`,
  );
}

/** Test runs print times and are judged by what changed; words said twice are repetition whatever the answer. */
function answersDiffer(before: CallView, view: CallView): boolean {
  return view.shell !== "tests" && view.kind !== "write" && before.at.output !== view.at.output;
}

/** When what was changed last. Positions are call numbers; −1 is never. */
class ChangeLog {
  #anything = -1;
  #world = -1;
  #unknown = -1;
  readonly #targets = new Map<string, number>();
  /** File names written through an absolute or a relative path: both may mean the same file. */
  readonly #absolute = new Map<string, number>();
  readonly #relative = new Map<string, number>();

  record(view: CallView): void {
    const index = view.at.index;
    if (view.effect === "unknown") this.#unknown = index;
    if (view.effect === "none" || view.effect === "unknown" || wasRefused(view)) return;
    this.#anything = index;
    if (view.effect === "world") this.#world = index;
    else this.#write(view.target, index);
    for (const edit of view.edits) if (edit.target !== view.target) this.#write(edit.target, index);
  }

  #write(target: string, index: number): void {
    this.#targets.set(target, index);
    (target.startsWith("/") ? this.#absolute : this.#relative).set(fileName(target), index);
  }

  /** Whether something the call depends on changed after call number `index`. */
  since(index: number, view: CallView): boolean {
    if (this.#world > index) return true;
    const looks = view.kind === "read" || view.kind === "search";
    if (looks && this.#unknown > index) return true;
    const ownTarget = view.target !== "" && (view.kind === "read" || view.kind === "write");
    if (!ownTarget) return view.effect !== "none" || view.kind !== "write" ? this.#anything > index : false;
    if ((this.#targets.get(view.target) ?? -1) > index) return true;
    const other = view.target.startsWith("/") ? this.#relative : this.#absolute;
    return (other.get(fileName(view.target)) ?? -1) > index;
  }
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
