import { editorCommand, type Params } from "../domains/tool-classifier.ts";
import { looksLikePatch, patchChanges } from "./patch-text.ts";
import { param, stringParam } from "./rule-step.ts";
import { hereDocument } from "./shell-command.ts";

/**
 * One change to one file. `replace`: a text gives way to another (an insertion has an empty `before`, a
 * deletion an empty `after`). `content`: a region, "" for the whole file, is set to a text. `undo`: the last
 * change is taken back.
 */
export type Edit =
  | { readonly kind: "replace"; readonly target: string; readonly before: string; readonly after: string }
  | { readonly kind: "content"; readonly target: string; readonly region: string; readonly text: string }
  | { readonly kind: "undo"; readonly target: string };

const beforeKeys = [
  "old_string",
  "old_str",
  "oldString",
  "old_text",
  "oldText",
  "search",
  "old",
  "old_content",
];
const afterKeys = [
  "new_string",
  "new_str",
  "newString",
  "new_text",
  "newText",
  "replace",
  "new",
  "new_content",
];
const contentKeys = ["content", "contents", "file_text", "fileText", "text"];
const patchKeys = ["patch", "diff", "input", "patch_text", "patchText"];

/** The changes an editor call makes, in whatever way its arguments put them. */
export function editsOfCall({
  tool,
  params,
  target,
}: {
  readonly tool: string;
  readonly params: Params;
  readonly target: string;
}): readonly Edit[] {
  const command = editorCommand(params);
  if (command === "view") return [];
  if (command === "undo_edit" || tool === "undo_edit") return [{ kind: "undo", target }];
  const patch = stringParam(params, patchKeys);
  if (patch !== null && looksLikePatch(patch)) return editsOfPatch(patch);
  const many = param(params, "edits");
  if (Array.isArray(many)) {
    return many.flatMap((each: unknown) =>
      typeof each === "object" && each !== null && !Array.isArray(each)
        ? replacement(each as Params, target)
        : [],
    );
  }
  const one = replacement(params, target);
  if (one.length > 0) return one;
  const region = regionOf(params);
  const text = stringParam(params, region === null ? contentKeys : [...contentKeys, "replacement_text"]);
  if (text === null) return [];
  // An insertion says where, but not what it replaces.
  if (command === "insert" || tool === "insert" || Object.hasOwn(params, "insert_line")) {
    return [{ kind: "replace", target, before: "", after: text }];
  }
  return [{ kind: "content", target, region: region ?? "", text }];
}

/** Changes a shell command makes to files by itself: patches, whole files from here documents, SWE-agent edits. */
export function editsOfCommand(command: string, openFile: string): readonly Edit[] {
  if (looksLikePatch(command)) return editsOfPatch(command);
  const lines = /^\s*edit (\d{1,9}):(\d{1,9})\r?\n/.exec(command.slice(0, 80));
  if (lines !== null) {
    const body = command.slice(lines[0].length);
    const end = body.lastIndexOf("end_of_edit");
    const region = `line ${lines[1] ?? ""}`;
    return [{ kind: "content", target: openFile, region, text: end < 0 ? body : body.slice(0, end) }];
  }
  const at = command.indexOf("<<");
  if (at < 0) return substitution(command);
  const document = hereDocument(command, at);
  if (document.bodyFrom === null) return [];
  const lineStart = command.lastIndexOf("\n", at) + 1;
  const line = command.slice(lineStart, document.bodyFrom - 1);
  const file = /(?:^|[^>\d&])>[ \t]*([^\s>&|;<'"]{1,1000})/.exec(line)?.[1];
  if (file === undefined || !/\bcat\b/.test(line)) return [];
  return [
    { kind: "content", target: file, region: "", text: command.slice(document.bodyFrom, document.bodyTo) },
  ];
}

function editsOfPatch(patch: string): readonly Edit[] {
  return patchChanges(patch).map(({ file, before, after }) => ({
    kind: "replace",
    target: file,
    before,
    after,
  }));
}

function replacement(params: Params, target: string): readonly Edit[] {
  const before = stringParam(params, beforeKeys);
  const after = stringParam(params, afterKeys);
  if (before === null && after === null) return [];
  return [{ kind: "replace", target, before: before ?? "", after: after ?? "" }];
}

/** The lines an edit is about, where it names lines instead of the text it replaces. */
function regionOf(params: Params): string | null {
  for (const key of ["start_line", "start", "line", "line_number"]) {
    const value = param(params, key);
    if (typeof value === "number" || (typeof value === "string" && value.length < 12)) return `line ${value}`;
  }
  return null;
}

/** `sed -i 's/before/after/' file`, the one in-place command whose effect its text shows. */
function substitution(command: string): readonly Edit[] {
  const head = /\bsed -i(?: -e| -E)? (['"]?)s([/|#,])/.exec(command);
  const separator = head?.[2];
  if (head === null || separator === undefined) return [];
  const from = head.index + head[0].length;
  const middle = command.indexOf(separator, from);
  const end = middle < 0 ? -1 : command.indexOf(separator, middle + 1);
  if (end < 0) return [];
  const file = /^[gI]{0,2}['"]?[ \t]+([^\s;&|'"]{1,1000})[ \t]*(?:$|[;&|\n])/.exec(
    command.slice(end + 1, end + 1100),
  )?.[1];
  if (file === undefined) return [];
  return [
    {
      kind: "replace",
      target: file,
      before: command.slice(from, middle),
      after: command.slice(middle + 1, end),
    },
  ];
}
