import type { CallView } from "./call-view.ts";
import { deducted, notApplicable, passed, type RuleScore, shownTool } from "./rule-result.ts";
import { queryTokens } from "./token-index.ts";
import { TokenMemory } from "./token-memory.ts";

const unusedScore = 0.7;

/**
 * Use of information by every call that acts: writes, and commands that may change things. 1 if its
 * arguments take up a path or name from the output of an earlier step, or it works on what an earlier step
 * read; 0.7 if not. Calls that gather information, test, think or submit, and calls before which nothing
 * was found, are not scored. Calls of one step do not see each other's outputs.
 */
export function infoUseScores(views: readonly CallView[]): readonly RuleScore[] {
  const acting = views.filter((view) => view.at.step > 0 && acts(view));
  const used = queryTokens({
    outputs: views.map((view) => view.at),
    queries: acting.map((view) => ({ step: view.at.step, text: argumentText(view.at.params) })),
    rule: "mended",
  });
  const readAt = new Map<string, number>();
  for (const view of views) noteRead(readAt, view);
  const scores: RuleScore[] = views.map(() => notApplicable);
  acting.forEach((view, i) => {
    scores[view.at.index] = verdictOn(view, { found: used[i] ?? null, readAt });
  });
  return scores;
}

/** Use of information step by step, each in time that does not grow with the number of steps before it. */
export class InfoUseTracker {
  readonly #tokens = new TokenMemory("mended");
  readonly #readAt = new Map<string, number>();

  /** Scores of the calls of one step. */
  scores(views: readonly CallView[]): readonly RuleScore[] {
    const scores = views.map((view) => {
      if (view.at.step === 0 || !acts(view)) return notApplicable;
      const found = this.#tokens.isFoundIn(argumentText(view.at.params));
      return verdictOn(view, { found, readAt: this.#readAt });
    });
    for (const view of views) {
      this.#tokens.remember(view.at.output);
      noteRead(this.#readAt, view);
    }
    return scores;
  }
}

/** `found`: whether its arguments take up what was found; null where nothing was. */
function verdictOn(
  view: CallView,
  { found, readAt }: { readonly found: boolean | null; readonly readAt: ReadonlyMap<string, number> },
): RuleScore {
  if (found === null) return notApplicable;
  if (found || (readAt.get(view.target) ?? Number.POSITIVE_INFINITY) < view.at.step) return passed;
  const what = `${shownTool(view.at.tool)} uses nothing that earlier steps found`;
  return deducted("unused_information", unusedScore, what);
}

/** The step in which a target was read first. */
function noteRead(readAt: Map<string, number>, view: CallView): void {
  if (view.kind === "read" && view.target !== "" && !readAt.has(view.target)) {
    readAt.set(view.target, view.at.step);
  }
}

function acts(view: CallView): boolean {
  if (view.repeatable) return false;
  return (
    view.kind === "write" || (view.kind === "execute" && (view.shell === null || view.shell === "changes"))
  );
}

/** All texts in the arguments, one a line; keys are names of parameters and no information. */
function argumentText(params: Readonly<Record<string, unknown>>): string {
  const parts: string[] = [];
  const open: unknown[] = [params];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "string") parts.push(value);
    else if (typeof value === "object" && value !== null) {
      for (const each of Object.values(value)) {
        if (typeof each === "string") parts.push(each);
        else if (typeof each === "object") open.push(each);
      }
    }
  }
  return parts.join("\n");
}
