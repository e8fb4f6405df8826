import { globSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { LONGEST, rank } from "./longest-first.ts";

const slow = globSync("**/*.slow.test.ts", { cwd: resolve(import.meta.dirname, "..") });

it("each beginning in the list is one of slow test files that no earlier one stands for", () => {
  const first = (start: string) => slow.some((path) => rank("slow", path) === LONGEST.indexOf(start));
  expect(LONGEST.filter((start) => !first(start))).toEqual([]);
});

it("long files start before other slow ones, and those before unit tests", () => {
  const ordered = [
    "end-to-end/localstack.slow.test.ts",
    "crash/crash.slow.test.ts",
    "cli/redact.slow.test.ts",
  ];
  const ranks = [...ordered.map((path) => rank("slow", path)), rank("unit", "crash/x.test.ts")];
  expect(ranks).toEqual(ranks.toSorted((one, other) => one - other));
  expect(new Set(ranks).size).toBe(ranks.length);
});
