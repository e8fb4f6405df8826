import type { Files } from "../workspace.ts";

/** What an agent can do, whatever its framework calls it. */
export type Action =
  | { readonly kind: "bash"; readonly command: string }
  | { readonly kind: "view"; readonly path: string }
  | { readonly kind: "replace"; readonly path: string; readonly before: string; readonly after: string }
  | { readonly kind: "create"; readonly path: string; readonly text: string }
  | { readonly kind: "submit"; readonly message: string };

export interface CodingTask {
  readonly id: string;
  /** What the agent is told. */
  readonly statement: string;
  readonly files: Files;
  /** The check that the agent can run itself. */
  readonly testCommand: string;
  /** The file to look at, and a word to find it by. */
  readonly suspect: string;
  readonly clue: string;
  /** What an agent that read the file understands. */
  readonly insight: string;
  /** Solves the task. */
  readonly fix: readonly [Action, ...Action[]];
  /** Looks like a solution; whether it is one, the hidden check says. */
  readonly shortcut: readonly [Action, ...Action[]];
  /** A change that helps nothing and that a sloppy agent takes back. */
  readonly blunder: { readonly path: string; readonly before: string; readonly after: string };
  /** Files that stand in no agent's workspace; `hidden/check.js` prints `ok …` or `not ok …` lines. */
  readonly hidden: Files;
}

/** The check script of a workspace: says for each case whether it holds, without stack traces or times. */
export function checkScript(parts: {
  readonly imports: string;
  readonly cases: readonly (readonly [name: string, actual: string, expected: string])[];
}): string {
  const rows = parts.cases.map(
    ([name, actual, expected]) => `check(${JSON.stringify(name)}, () => ${actual}, ${expected});`,
  );
  return `${parts.imports}

let failed = 0;
function check(name, run, expected) {
  let actual;
  try {
    actual = run();
  } catch (error) {
    actual = "error: " + error.message;
  }
  const right = JSON.stringify(actual) === JSON.stringify(expected);
  if (!right) failed += 1;
  const found = right ? "" : ": expected " + JSON.stringify(expected) + ", got " + JSON.stringify(actual);
  console.log((right ? "ok - " : "not ok - ") + name + found);
}

${rows.join("\n")}
process.exitCode = failed === 0 ? 0 : 1;
`;
}

/** Makes plain `.js` files ES modules for Node. */
export const MODULE: Files = { "package.json": '{ "private": true, "type": "module" }\n' };
