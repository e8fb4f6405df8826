import { readFileSync } from "node:fs";
import { UsageError } from "./usage-error.ts";

/** The lines of a small text file that hold anything, with their numbers from 1. @throws UsageError */
export function linesOf(path: string): readonly { readonly text: string; readonly line: number }[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(
      `${path} cannot be read: ${cause instanceof Error ? cause.message : "unknown fault"}`,
      {
        cause,
      },
    );
  }
  return text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((each, index) => ({ text: each, line: index + 1 }))
    .filter((each) => each.text.trim() !== "");
}
