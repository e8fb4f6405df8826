import type { CallInput } from "../builder.ts";

/** Commands of SWE-agent's own interface; every other command line goes to the shell. */
const INTERFACE_COMMANDS = new Set([
  "open",
  "goto",
  "scroll_up",
  "scroll_down",
  "create",
  "edit",
  "insert",
  "append",
  "search_dir",
  "search_file",
  "find_file",
  "filemap",
  "view_image",
  "str_replace_editor",
  "submit",
  "exit_forfeit",
  "decompile",
  "disassemble",
  "connect_start",
  "connect_sendline",
  "connect_exec",
  "connect_stop",
  "debug_start",
  "debug_add_breakpoint",
  "debug_continue",
  "debug_step",
  "debug_exec",
  "debug_stop",
]);

/**
 * The call in one SWE-agent command line: an interface command under its own name, else `bash`; the whole text is
 * the argument `command` (line ranges and heredocs stay as written).
 */
export function commandCall(action: string): CallInput | undefined {
  const command = action.trim();
  if (command === "") return undefined;
  const word = /^[^\s]{1,40}/.exec(command)?.[0] ?? "";
  return { name: INTERFACE_COMMANDS.has(word) ? word : "bash", arguments: { command }, from: "text" };
}

/**
 * The call in a message written in function XML: `<function=NAME>`, `<parameter=KEY>VALUE</parameter>`, `</function>`.
 * SWE-agent carries out the first one. One line break on either side of a value belongs to the markup.
 */
export function xmlCall(message: string): CallInput | undefined {
  const open = message.indexOf("<function=");
  if (open < 0) return undefined;
  const nameEnd = message.indexOf(">", open);
  const close = message.indexOf("</function>", open);
  if (nameEnd < 0 || close < nameEnd) return undefined;
  const name = message.slice(open + "<function=".length, nameEnd).trim();
  if (!/^[\w.-]{1,100}$/.test(name)) return undefined;
  return {
    name,
    arguments: Object.fromEntries(xmlParameters(message.slice(nameEnd + 1, close))),
    from: "text",
  };
}

function* xmlParameters(body: string): Generator<readonly [string, string]> {
  const opening = "<parameter=";
  const closing = "</parameter>";
  let at = body.indexOf(opening);
  while (at >= 0) {
    const nameEnd = body.indexOf(">", at);
    const end = nameEnd < 0 ? -1 : body.indexOf(closing, nameEnd);
    if (end < 0) return;
    const value = body.slice(nameEnd + 1, end);
    yield [body.slice(at + opening.length, nameEnd), value.replace(/^\n/, "").replace(/\n$/, "")];
    at = body.indexOf(opening, end + closing.length);
  }
}

/**
 * The body of the last fenced code block of a message, as SWE-agent finds it: fences stand at the beginning of a
 * line, a labelled one inside a block opens an inner block, and an open block is none.
 */
export function lastFenced(message: string): string | undefined {
  let last: string | undefined;
  let depth = 0;
  let start = 0;
  for (const fence of message.matchAll(/^```([^\s`]*)[^\S\n]*$/gm)) {
    if (depth > 0 && fence[1] === "") {
      depth -= 1;
      if (depth === 0) last = message.slice(start, fence.index);
    } else {
      if (depth === 0) start = fence.index + fence[0].length + 1;
      depth += 1;
    }
  }
  return last;
}

/** The call in a message of discussion and one fenced command. */
export function fencedCall(message: string): CallInput | undefined {
  const command = lastFenced(message);
  return command === undefined ? undefined : commandCall(command);
}

const STATEMENTS: readonly (readonly [before: string, after: string])[] = [
  ["<pr_description>\nConsider the following PR description:\n", "\n</pr_description>"],
  ["<pr_description>\n", "\n</pr_description>"],
  ["ISSUE:\n", "\n\nINSTRUCTIONS:\n"],
];

/** The problem statement in a first message that was rendered from one of the two agents' own templates; else all of it. */
export function problemStatement(message: string): string {
  for (const [before, after] of STATEMENTS) {
    const start = message.indexOf(before);
    const end = start < 0 ? -1 : message.indexOf(after, start + before.length);
    if (end >= 0) {
      const statement = message.slice(start + before.length, end).trim();
      if (statement !== "") return statement;
    }
  }
  return message;
}

/** A file stem that is an instance name of the SWE-bench kind (`owner__repository-123`); undefined otherwise. */
export function instanceName(stem: string): string | undefined {
  const parts = stem.replace(/\.traj$/, "").split("__");
  const name = parts.join("__");
  return parts.length === 2 && /^[\w.-]{1,100}$/.test(parts[0] ?? "") && /-\d{1,9}$/.test(name)
    ? name
    : undefined;
}
