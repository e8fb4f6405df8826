import type { ToolCategory, ToolSpec } from "../domains/profile.ts";
import type { Params, ToolClassifier } from "../domains/tool-classifier.ts";
import { type Edit, editsOfCall, editsOfCommand } from "./edits.ts";
import { paramKey } from "./param-key.ts";
import { type PlacedCall, param, stringParam } from "./rule-step.ts";
import { type ShellEffect, shellEffect } from "./shell-command.ts";

/** A call with everything the rules need to know about it, worked out once. */
export interface CallView {
  readonly at: PlacedCall;
  readonly kind: ToolCategory | "unknown";
  /** The file, page or element it works on, as a normalised path; "" if none. */
  readonly target: string;
  /** Equal for calls that ask for the same thing. */
  readonly key: string;
  /** What it changes. `unknown`: a tool no profile knows. */
  readonly effect: "none" | "target" | "world" | "unknown";
  readonly repeatable: boolean;
  /** Set for shell commands only. */
  readonly shell: ShellEffect | null;
  readonly edits: readonly Edit[];
}

const targetKeys = [
  ...["file_path", "path", "url", "element_id", "filename", "file_name", "filePath", "file"],
  ...["notebook_path", "absolute_path", "target_file"],
];
const commandKeys = ["command", "cmd", "script", "code", "input"];
/** Arguments in which an agent comments on its call; they do not make it another call. */
const remarks: ReadonlySet<string> = new Set(["security_risk", "summary", "explanation", "description"]);
const openers: ReadonlySet<string> = new Set(["open", "create", "open_file", "view_file"]);

/** Views calls one after another. Keeps track of the open file for tools that work on it without naming it. */
export class CallViewer {
  readonly #classifier: ToolClassifier;
  #openFile = "";

  constructor(classifier: ToolClassifier) {
    this.#classifier = classifier;
  }

  view(call: PlacedCall): CallView {
    const view = viewCall(call, this.#classifier, this.#openFile);
    if (view.target !== "" && openers.has(call.tool)) this.#openFile = view.target;
    else if (view.shell !== null) this.#openFile = openedBy(commandText(call) ?? "") ?? this.#openFile;
    return view;
  }
}

/** Views of all calls, in order. */
export function viewCalls(calls: readonly PlacedCall[], classifier: ToolClassifier): readonly CallView[] {
  const viewer = new CallViewer(classifier);
  return calls.map((call) => viewer.view(call));
}

function viewCall(at: PlacedCall, classifier: ToolClassifier, openFile: string): CallView {
  const spec = classifier.specOf(at.tool);
  const kind = classifier.categoryOf(at.tool, at.params) ?? "unknown";
  const repeatable = spec?.repeatable ?? false;
  if (kind === "execute" && spec !== null) {
    const command = commandText(at);
    if (command !== null) return viewCommand({ at, spec, command, openFile });
  }
  const named = targetOf(spec, at.params);
  const isFileWrite = kind === "write" && spec?.effect === undefined;
  const target = named === "" && isFileWrite ? openFile : named;
  const edits = isFileWrite ? normalised(editsOfCall({ tool: at.tool, params: at.params, target })) : [];
  return {
    at,
    kind,
    target,
    key: keyOf({ at, spec, kind, target }),
    effect: effectOf(kind, spec, target),
    repeatable,
    shell: null,
    edits,
  };
}

function viewCommand({
  at,
  spec,
  command,
  openFile,
}: {
  readonly at: PlacedCall;
  readonly spec: ToolSpec;
  readonly command: string;
  readonly openFile: string;
}): CallView {
  const isShell = spec.name === "bash" || spec.name === "git";
  const effect = isShell ? shellEffect(command) : "changes";
  const edits = isShell && effect === "changes" ? editsOfCommand(command, openFile) : [];
  return {
    at,
    kind: "execute",
    target: "",
    key: `x\u0000${spec.name}\u0000${command.trim()}`,
    effect: effect === "changes" ? "world" : "none",
    repeatable: spec.repeatable,
    shell: effect,
    edits: normalised(edits),
  };
}

/** The command a shell tool was given: a text, a list of words, or a git sub-command. */
function commandText({ params }: PlacedCall): string | null {
  const words = param(params, "command") ?? param(params, "cmd");
  if (Array.isArray(words) && words.every((word) => typeof word === "string")) {
    const [program = "", flag = "", script] = words;
    return script !== undefined && /(^|\/)(ba|z|da)?sh$/.test(program) && /^-\w*c$/.test(flag)
      ? script
      : words.join(" ");
  }
  const subcommand = stringParam(params, ["subcommand"]);
  if (subcommand !== null) return `git ${subcommand} ${stringParam(params, ["args"]) ?? ""}`;
  return stringParam(params, commandKeys);
}

function openedBy(command: string): string | null {
  const file = /^\s*(?:open|create) +["']?([^\s"']{1,1000})/.exec(command.slice(0, 1100))?.[1];
  return file === undefined ? null : normalPath(file);
}

function targetOf(spec: ToolSpec | null, params: Params): string {
  const own = spec?.statefulKey ?? "";
  for (const key of own === "" ? targetKeys : [own, ...targetKeys]) {
    const value = param(params, key);
    if (typeof value === "string" && value !== "") return normalPath(value);
    if (typeof value === "number") return String(value);
  }
  return "";
}

function normalised(edits: readonly Edit[]): readonly Edit[] {
  return edits.map((edit) => {
    const target = normalPath(edit.target);
    return target === edit.target ? edit : { ...edit, target };
  });
}

/** One spelling of a path: no "./" in front, no doubled or trailing slashes. URLs keep theirs. */
export function normalPath(path: string): string {
  if (path.includes("://")) return path;
  let text = path.includes("//") ? path.replace(/\/+/g, "/") : path;
  while (text.startsWith("./")) text = text.slice(2);
  return text.length > 1 && text.endsWith("/") ? text.slice(0, -1) : text;
}

function keyOf({
  at,
  spec,
  kind,
  target,
}: {
  readonly at: PlacedCall;
  readonly spec: ToolSpec | null;
  readonly kind: CallView["kind"];
  readonly target: string;
}): string {
  const { params, tool } = at;
  if (spec === null || target === "" || !(kind === "read" || kind === "search")) {
    return `c\u0000${tool}\u0000${target}\u0000${paramKey(params)}`;
  }
  // The same file read through another name of the same tool is the same read.
  const rest: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(params)) {
    const names = key === spec.statefulKey || targetKeys.includes(key);
    if (!names && !remarks.has(key) && key !== "command") rest[key] = params[key];
  }
  return `r\u0000${spec.name}\u0000${target}\u0000${paramKey(rest)}`;
}

function effectOf(kind: CallView["kind"], spec: ToolSpec | null, target: string): CallView["effect"] {
  if (kind === "unknown") return "unknown";
  if (kind === "read" || kind === "search" || kind === "think" || kind === "submit") return "none";
  if (spec?.effect !== undefined) return spec.effect;
  if (kind === "write") return target === "" ? "world" : "target";
  return "world";
}
