import { readFileSync } from "node:fs";
import { UsageError } from "./usage-error.ts";

/** The text of a small file. @throws UsageError */
export function textOfFile(path: string): string {
  try {
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown fault";
    throw new UsageError(`${path} cannot be read: ${why}`, { cause });
  }
}

/** @throws UsageError */
export function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${file} is no JSON`, { cause });
  }
}

/** The lines of a small text file that hold anything, with their numbers from 1. @throws UsageError */
export function linesOf(path: string): readonly { readonly text: string; readonly line: number }[] {
  return textOfFile(path)
    .split("\n")
    .map((each, index) => ({ text: each, line: index + 1 }))
    .filter((each) => each.text.trim() !== "");
}
