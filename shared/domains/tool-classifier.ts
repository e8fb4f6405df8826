import type { DomainProfile, ToolCategory, ToolSpec } from "./profile.ts";

export type Params = Readonly<Record<string, unknown>>;

/** Looks tools up by name or alias. A later tool of the profile wins over an earlier one of the same name. */
export interface ToolClassifier {
  readonly specOf: (tool: string) => ToolSpec | null;
  /** Category of a call. An editor's `command` argument decides: viewing a file with it is a read. */
  readonly categoryOf: (tool: string, params?: Params) => ToolCategory | null;
}

export function createToolClassifier(profile: DomainProfile): ToolClassifier {
  const specs = new Map<string, ToolSpec>();
  for (const spec of profile.tools) {
    specs.set(spec.name, spec);
    for (const alias of spec.aliases) specs.set(alias, spec);
  }
  const specOf = (tool: string): ToolSpec | null => specs.get(tool) ?? null;
  return {
    specOf,
    categoryOf: (tool, params) => {
      const category = specOf(tool)?.category ?? null;
      return category === "write" && params !== undefined && editorCommand(params) === "view"
        ? "read"
        : category;
    },
  };
}

/** The sub-command of an editor that has several in one tool (view, create, str_replace, insert, undo_edit). */
export function editorCommand(params: Params): string | null {
  const command = Object.hasOwn(params, "command") ? params["command"] : null;
  return typeof command === "string" && /^[a-z_]{1,20}$/.test(command) ? command : null;
}
