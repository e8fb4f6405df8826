import type { ToolCategory } from "../domains/profile.ts";
import type { Params, ToolClassifier } from "../domains/tool-classifier.ts";
import { paramKey } from "./param-key.ts";
import { pythonRepr, pythonStr } from "./python-text.ts";
import {
  type CallScores,
  deducted,
  notApplicable,
  passed,
  type RuleScore,
  shownTool,
} from "./rule-result.ts";
import { type PlacedCall, param } from "./rule-step.ts";
import type { RuleTracker, TrackedStep } from "./rule-tracker.ts";
import { queryTokens } from "./token-index.ts";
import { TokenMemory } from "./token-memory.ts";

/**
 * The rules as knowlyr-gym defines them, in linear time: for comparing with scores it made. Their weak
 * spots (other line ranges count as repetition, shell changes go unseen, ...) are kept on purpose;
 * `rules-mended.ts` has the rules to use.
 */
export function scoreCallsCompatibly(
  calls: readonly PlacedCall[],
  classifier: ToolClassifier,
): readonly CallScores[] {
  const categories = calls.map((call) => categoryOf(call, classifier));
  const info = infoScores(calls, categories);
  const redundancy = new RedundancyTracker();
  const regression = new RegressionTracker();
  return calls.map((call, i) => {
    const category = categories[i] ?? null;
    const target = compatibleTarget(classifier, call.tool, call.params);
    return {
      redundancy: redundancy.score(call, { category, target }),
      regression: regression.score(call, { category, target }),
      infoUtilization: info[i] ?? notApplicable,
    };
  });
}

/** The same, one call after another, each in time that does not grow with the number of calls before it. */
export class CompatibleRuleTracker implements RuleTracker {
  readonly #classifier: ToolClassifier;
  readonly #redundancy = new RedundancyTracker();
  readonly #regression = new RegressionTracker();
  readonly #tokens = new TokenMemory("compatible");

  constructor(classifier: ToolClassifier) {
    this.#classifier = classifier;
  }

  step(calls: readonly PlacedCall[]): TrackedStep {
    return { scores: calls.map((call) => this.#score(call)), broken: [] };
  }

  #score(call: PlacedCall): CallScores {
    const category = categoryOf(call, this.#classifier);
    const target = compatibleTarget(this.#classifier, call.tool, call.params);
    const found = usesInformation(call, category) ? this.#tokens.isFoundIn(pythonRepr(call.params)) : null;
    this.#tokens.remember(call.output);
    return {
      redundancy: this.#redundancy.score(call, { category, target }),
      regression: this.#regression.score(call, { category, target }),
      infoUtilization: infoScore(call, found),
    };
  }
}

/** What the rules need to know of a call beside itself. */
interface CallFacts {
  readonly category: ToolCategory | null;
  readonly target: string;
}

function categoryOf(call: PlacedCall, classifier: ToolClassifier): ToolCategory | null {
  return classifier.specOf(call.tool)?.category ?? null;
}

const targetKeys = ["file_path", "path", "url", "element_id"];

/** What a call works on: the tool's own key, else the first usual one present, as Python text; "" if none. */
export function compatibleTarget(classifier: ToolClassifier, tool: string, params: Params): string {
  const key = classifier.specOf(tool)?.statefulKey ?? "";
  if (key !== "" && Object.hasOwn(params, key)) return pythonStr(params[key]);
  for (const usual of targetKeys) if (Object.hasOwn(params, usual)) return pythonStr(params[usual]);
  return "";
}

function isRead(category: ToolCategory | null): boolean {
  return category === "read" || category === "search";
}

class RedundancyTracker {
  readonly #seen = new Map<string, PlacedCall>();
  readonly #lastRead = new Map<string, PlacedCall>();
  readonly #lastWrite = new Map<string, number>();

  score(call: PlacedCall, { category, target }: CallFacts): RuleScore {
    const read = isRead(category);
    const key = `${call.tool}\u0000${paramKey(call.params)}`;
    const same = this.#seen.get(key);
    const readBefore = target === "" ? undefined : this.#lastRead.get(target);
    const writtenAt = target === "" ? undefined : this.#lastWrite.get(target);
    const fresh = read && writtenAt !== undefined && writtenAt > (readBefore?.index ?? -1);
    let score = passed;
    if (same !== undefined && !fresh) {
      const code = read ? "repeated_read" : "repeated_call";
      score = deducted(code, read ? 0 : 0.3, `${shownTool(call.tool)} repeats step ${same.step}`);
    } else if (read && !fresh && readBefore !== undefined) {
      const what = `${shownTool(call.tool)} reads again what step ${readBefore.step} read`;
      score = deducted("repeated_read", 0, what);
    }
    this.#seen.set(key, call);
    if (read) this.#lastRead.set(target, call);
    else if (category === "write") this.#lastWrite.set(target, call.index);
    return score;
  }
}

class RegressionTracker {
  readonly #edits = new Map<string, number>();

  score(call: PlacedCall, { category, target }: CallFacts): RuleScore {
    if (category !== "write") return passed;
    const before = param(call.params, "old_string");
    const after = param(call.params, "new_string");
    if (!isTruthy(before) || !isTruthy(after)) return passed;
    const undone = this.#edits.get(paramKey({ target, before: after, after: before }));
    this.#edits.set(paramKey({ target, before, after }), call.step);
    if (undone === undefined) return passed;
    return deducted("reverted_edit", 0, `${shownTool(call.tool)} reverts the edit of step ${undone}`);
  }
}

function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function infoScores(
  calls: readonly PlacedCall[],
  categories: readonly (ToolCategory | null)[],
): readonly RuleScore[] {
  const scored = calls.filter((call, i) => usesInformation(call, categories[i] ?? null));
  // Every call is a step of its own here, so a call may use what the call before it found.
  const used = queryTokens({
    outputs: calls.map((call) => ({ step: call.index, output: call.output })),
    queries: scored.map((call) => ({ step: call.index, text: pythonRepr(call.params) })),
    rule: "compatible",
  });
  const scores: RuleScore[] = calls.map(() => passed);
  scored.forEach((call, k) => {
    scores[call.index] = infoScore(call, used[k] ?? null);
  });
  return scores;
}

function usesInformation(call: PlacedCall, category: ToolCategory | null): boolean {
  return call.index > 0 && (category === "write" || category === "execute");
}

/** `found`: whether its arguments take up what was found; null where nothing was, or the rule does not apply. */
function infoScore(call: PlacedCall, found: boolean | null): RuleScore {
  if (found !== false) return passed;
  return deducted("unused_information", 0.7, `${shownTool(call.tool)} uses nothing that earlier steps found`);
}
