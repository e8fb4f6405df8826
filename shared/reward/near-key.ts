import { argumentText } from "./argument-text.ts";
import type { CallView } from "./call-view.ts";

/** Longer calls are told apart by their beginning. */
const compared = 400;

/**
 * Equal for calls that are near-identical: numbers, quotes, case, white space and what follows the first
 * 400 characters do not count. Reads and searches keep their numbers, since reading on is no repetition.
 */
export function nearKey(view: CallView): string {
  const { tool, params } = view.at;
  const text = argumentText(params).slice(0, compared).toLowerCase();
  const plain = text.replace(/["'`]/g, "").replace(/\s+/g, " ").trim();
  const looks = view.kind === "read" || view.kind === "search" || view.shell === "looks";
  return `${tool}\u0000${looks ? plain : plain.replace(/\d+/g, "0")}`;
}
