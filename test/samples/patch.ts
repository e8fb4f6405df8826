import type { Files } from "./workspace.ts";

const CONTEXT = 3;

/** The changes of a workspace as a unified diff, one hunk per file. Texts end with a newline or are empty. */
export function patchBetween(before: Files, after: Files): string {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return paths
    .map((path) => filePatch({ path, before: before[path], after: after[path] }))
    .filter((part) => part !== "")
    .join("");
}

function filePatch(change: {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}): string {
  if (change.before === change.after) return "";
  const old = linesOf(change.before ?? "");
  const now = linesOf(change.after ?? "");
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail))
    tail += 1;

  const start = Math.max(0, head - CONTEXT);
  const trailing = Math.min(CONTEXT, tail);
  const oldEnd = old.length - tail + trailing;
  const newEnd = now.length - tail + trailing;
  const body = [
    ...old.slice(start, head).map((line) => ` ${line}`),
    ...old.slice(head, old.length - tail).map((line) => `-${line}`),
    ...now.slice(head, now.length - tail).map((line) => `+${line}`),
    ...old.slice(old.length - tail, oldEnd).map((line) => ` ${line}`),
  ];
  const from = change.before === undefined ? "/dev/null" : `a/${change.path}`;
  const to = change.after === undefined ? "/dev/null" : `b/${change.path}`;
  const born = change.before === undefined ? ["new file mode 100644"] : [];
  const gone = change.after === undefined ? ["deleted file mode 100644"] : [];
  const hunk = `@@ -${range(start, oldEnd)} +${range(start, newEnd)} @@`;
  const title = `diff --git a/${change.path} b/${change.path}`;
  return `${[title, ...born, ...gone, `--- ${from}`, `+++ ${to}`, hunk, ...body].join("\n")}\n`;
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function range(start: number, end: number): string {
  return end === start ? `${start},0` : `${start + 1},${end - start}`;
}
