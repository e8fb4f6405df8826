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
import { queryTokens } from "./token-index.ts";

/**
 * The rules as knowlyr-gym defines them, in linear time: for comparing with scores it made. Their weak
 * spots (other line ranges count as repetition, shell changes go unseen, ...) are kept on purpose;
 * `rules-mended.ts` has the rules to use.
 */
export function scoreCallsCompatibly(
  calls: readonly PlacedCall[],
  classifier: ToolClassifier,
): readonly CallScores[] {
  const categories = calls.map((call) => classifier.specOf(call.tool)?.category ?? null);
  const targets = calls.map((call) => compatibleTarget(classifier, call.tool, call.params));
  const redundancy = redundancyScores(calls, categories, targets);
  const regression = regressionScores(calls, categories, targets);
  const info = infoScores(calls, categories);
  return calls.map((_, i) => ({
    redundancy: redundancy[i] ?? passed,
    regression: regression[i] ?? passed,
    infoUtilization: info[i] ?? notApplicable,
  }));
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

function redundancyScores(
  calls: readonly PlacedCall[],
  categories: readonly (ToolCategory | null)[],
  targets: readonly string[],
): readonly RuleScore[] {
  const seen = new Map<string, PlacedCall>();
  const lastRead = new Map<string, PlacedCall>();
  const lastWrite = new Map<string, number>();
  return calls.map((call, i) => {
    const category = categories[i] ?? null;
    const target = targets[i] ?? "";
    const read = isRead(category);
    const key = `${call.tool}\u0000${paramKey(call.params)}`;
    const same = seen.get(key);
    const readBefore = target === "" ? undefined : lastRead.get(target);
    const writtenAt = target === "" ? undefined : lastWrite.get(target);
    const fresh = read && writtenAt !== undefined && writtenAt > (readBefore?.index ?? -1);
    let score = passed;
    if (same !== undefined && !fresh) {
      const code = read ? "repeated_read" : "repeated_call";
      score = deducted(code, read ? 0 : 0.3, `${shownTool(call.tool)} repeats step ${same.step}`);
    } else if (read && !fresh && readBefore !== undefined) {
      const what = `${shownTool(call.tool)} reads again what step ${readBefore.step} read`;
      score = deducted("repeated_read", 0, what);
    }
    seen.set(key, call);
    if (read) lastRead.set(target, call);
    else if (category === "write") lastWrite.set(target, call.index);
    return score;
  });
}

function regressionScores(
  calls: readonly PlacedCall[],
  categories: readonly (ToolCategory | null)[],
  targets: readonly string[],
): readonly RuleScore[] {
  const edits = new Map<string, number>();
  return calls.map((call, i) => {
    if (categories[i] !== "write") return passed;
    const before = param(call.params, "old_string");
    const after = param(call.params, "new_string");
    if (!isTruthy(before) || !isTruthy(after)) return passed;
    const target = targets[i] ?? "";
    const undone = edits.get(paramKey({ target, before: after, after: before }));
    edits.set(paramKey({ target, before, after }), call.step);
    if (undone === undefined) return passed;
    return deducted("reverted_edit", 0, `${shownTool(call.tool)} reverts the edit of step ${undone}`);
  });
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
  const scored = calls.filter((call, i) => {
    const category = categories[i];
    return call.index > 0 && (category === "write" || category === "execute");
  });
  // Every call is a step of its own here, so a call may use what the call before it found.
  const used = queryTokens({
    outputs: calls.map((call) => ({ step: call.index, output: call.output })),
    queries: scored.map((call) => ({ step: call.index, text: pythonRepr(call.params) })),
    rule: "compatible",
  });
  const scores: RuleScore[] = calls.map(() => passed);
  scored.forEach((call, k) => {
    if (used[k] === false) {
      const what = `${shownTool(call.tool)} uses nothing that earlier steps found`;
      scores[call.index] = deducted("unused_information", 0.7, what);
    }
  });
  return scores;
}
