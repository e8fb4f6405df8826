import { editorCommand } from "../domains/tool-classifier.ts";
import type { CallView } from "./call-view.ts";
import { normalPath } from "./call-view.ts";
import { param, stringParam } from "./rule-step.ts";

/** Files a call brings into being or takes away, as far as its text shows. */
export interface FileTraces {
  readonly creates: readonly string[];
  /** Paths, or patterns with `*`. */
  readonly removes: readonly string[];
}

const none: FileTraces = Object.freeze({ creates: [], removes: [] });
const creators: ReadonlySet<string> = new Set(["create", "create_file", "Write", "write_file", "write"]);
const pathKeys = ["file_path", "path", "filename", "file_name", "filePath", "file", "absolute_path"];
/** Commands are looked at up to this length. */
const looked = 20_000;

export function fileTraces(view: CallView): FileTraces {
  const { tool, params } = view.at;
  const command = commandOf(view);
  if (view.kind === "write") {
    const creates = creators.has(tool) || editorCommand(params) === "create";
    if (tool === "delete_file" && view.target !== "") return { creates: [], removes: [view.target] };
    if (!creates) return none;
    const named = stringParam(params, pathKeys) ?? /^\s*create +(\S{1,1000})/.exec(command)?.[1];
    return named === undefined ? none : { creates: [normalPath(unquoted(named))], removes: [] };
  }
  if (view.kind !== "execute" || command === "" || view.shell === "looks") return none;
  const text = command.slice(0, looked);
  return { creates: createdBy(text), removes: removedBy(text) };
}

/** The text of a command line, however its tool takes it; "" where there is none. */
export function commandOf(view: CallView): string {
  const { params } = view.at;
  const words = param(params, "command") ?? param(params, "cmd");
  if (Array.isArray(words)) return words.filter((word) => typeof word === "string").join(" ");
  return stringParam(params, ["command", "cmd", "script", "keystrokes", "code", "input"]) ?? "";
}

function createdBy(command: string): readonly string[] {
  const created: string[] = [];
  const redirected = /(?:^|[^>\d&<=-])>(?!>)[ \t]*([\w./~-]{1,300})/g;
  // Redirections count on lines that write a text; a `>` inside a program is a comparison.
  for (const line of linesOutsideDocuments(command)) {
    if (!/\b(?:cat|echo|printf|tee)\b/.test(line)) continue;
    for (const match of line.matchAll(redirected)) created.push(match[1] ?? "");
  }
  for (const match of command.matchAll(/(?:^|[;&|\n])[ \t]*touch ([\w./~ -]{1,2000})/g)) {
    created.push(...(match[1] ?? "").split(" "));
  }
  for (const match of command.matchAll(/\btee (?:-\w )?([\w./~-]{1,300})/g)) created.push(match[1] ?? "");
  return created.filter((path) => path !== "" && !path.startsWith("/dev/")).map(normalPath);
}

function removedBy(command: string): readonly string[] {
  const removed: string[] = [];
  for (const match of command.matchAll(/(?:^|[;&|\n(])[ \t]*(?:sudo )?(?:git )?rm ([^;&|\n]{1,2000})/g)) {
    for (const word of (match[1] ?? "").split(/\s+/)) {
      if (word !== "" && !word.startsWith("-")) removed.push(normalPath(unquoted(word)));
    }
  }
  // Moving a file elsewhere takes it away from where it was; cleaning takes away whatever is not tracked.
  for (const match of command.matchAll(/(?:^|[;&|\n])[ \t]*mv ([\w./~-]{1,300}) /g)) {
    removed.push(normalPath(match[1] ?? ""));
  }
  if (/\bgit (?:clean -\w*f|stash -u|stash --include-untracked)/.test(command)) removed.push("*");
  return removed;
}

/** Lines of a command without the bodies of here documents. One pass. */
function linesOutsideDocuments(command: string): readonly string[] {
  const lines: string[] = [];
  let end: string | null = null;
  for (const line of command.split("\n")) {
    if (end !== null) {
      if (line.trim() === end) end = null;
      continue;
    }
    lines.push(line);
    end = /<<-?\s*\\?['"]?([A-Za-z_]\w{0,40})/.exec(line)?.[1] ?? null;
  }
  return lines;
}

function unquoted(word: string): string {
  return word.replace(/^["']|["']$/g, "");
}
