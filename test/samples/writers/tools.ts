import type { Action } from "../coding/task.ts";
import { ROOT } from "../workspace.ts";

type Parameters = Readonly<Record<string, string>>;

/** An OpenAI-style function definition with text parameters; the ones after the first `required` may be left out. */
export function toolDefinition(tool: {
  readonly name: string;
  readonly description: string;
  readonly parameters: Parameters;
  readonly required: number;
}): unknown {
  const names = Object.keys(tool.parameters);
  const properties = Object.entries(tool.parameters).map(([key, text]) => [
    key,
    { type: "string", description: text },
  ]);
  return {
    type: "function",
    function: {
      name: tool.name,
      description: tool.description,
      parameters: {
        type: "object",
        properties: Object.fromEntries(properties),
        required: names.slice(0, tool.required),
      },
    },
  };
}

export const EDITOR = "str_replace_editor";

export const editorDefinition = toolDefinition({
  name: EDITOR,
  description: "Shows a file, replaces a text that occurs once in it, or creates it.",
  parameters: {
    command: "view, str_replace or create",
    path: "Absolute path of the file",
    old_str: "For str_replace: the text to replace",
    new_str: "For str_replace: the new text",
    file_text: "For create: the content",
  },
  required: 2,
});

/** The arguments of the editor tool, in its usual words; undefined where the action needs no editor. */
export function editorArguments(action: Action): Readonly<Record<string, string>> | undefined {
  switch (action.kind) {
    case "view":
      return { command: "view", path: `${ROOT}/${action.path}` };
    case "replace":
      return {
        command: "str_replace",
        path: `${ROOT}/${action.path}`,
        old_str: action.before,
        new_str: action.after,
      };
    case "create":
      return { command: "create", path: `${ROOT}/${action.path}`, file_text: action.text };
    case "bash":
    case "submit":
      return undefined;
  }
}

/** The call that an action is in a framework with `bash`, the editor and a tool to hand in. */
export function callOf(
  action: Action,
  names: { readonly bash: string; readonly submit: string },
): { readonly name: string; readonly args: Readonly<Record<string, string>> } {
  if (action.kind === "bash") return { name: names.bash, args: { command: action.command } };
  if (action.kind === "submit")
    return { name: names.submit, args: names.submit === "finish" ? { message: action.message } : {} };
  return { name: EDITOR, args: editorArguments(action) ?? {} };
}
