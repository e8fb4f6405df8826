import type { DomainProfile, OutcomeSpec, ToolCategory, ToolSpec } from "./profile.ts";

type ToolExtras = Partial<Pick<ToolSpec, "statefulKey" | "effect" | "repeatable">>;

function tool(
  name: string,
  category: ToolCategory,
  { aliases = [], ...extras }: ToolExtras & { readonly aliases?: readonly string[] } = {},
): ToolSpec {
  return { name, category, statefulKey: "", repeatable: false, ...extras, aliases: [...aliases] };
}

const successOnly: OutcomeSpec = {
  successField: "success",
  scoreField: "",
  totalField: "",
  failedField: "",
  partialCreditField: "partial_credit",
};

const think = tool("think", "think");
const submit = tool("submit", "submit");
const finish = tool("finish", "submit");
/** Saying something changes nothing that a later call could read. */
const respond = (...aliases: string[]): ToolSpec => tool("respond", "write", { aliases, effect: "none" });
const note = tool("create_note", "write", { aliases: ["note", "memo"], effect: "none" });

const coding: DomainProfile = {
  domain: "coding",
  displayName: "Coding",
  tools: [
    tool("read_file", "read", {
      statefulKey: "file_path",
      // The second line on: names that OpenHands, SWE-agent, Claude Code and other agents use.
      aliases: [
        ...["Read", "cat", "file_read"],
        ...["view", "view_file", "open", "open_file", "read", "NotebookRead", "read_many_files"],
      ],
    }),
    tool("edit_file", "write", {
      statefulKey: "file_path",
      aliases: [
        ...["Edit", "sed", "write_file", "Write", "file_write"],
        ...["str_replace_editor", "str_replace_based_edit_tool", "file_editor", "edit", "write", "create"],
        ...["insert", "str_replace", "undo_edit", "apply_patch", "patch", "create_file", "delete_file"],
        ...["MultiEdit", "NotebookEdit", "replace", "search_replace", "edit_anthropic"],
      ],
    }),
    tool("bash", "execute", {
      aliases: [
        ...["Bash", "shell", "run"],
        ...["execute_bash", "terminal", "run_shell_command", "run_command", "execute_command", "exec"],
        ...["exec_command", "shell_command", "local_shell", "run_in_terminal", "run_terminal_cmd"],
        ...["run_terminal_command", "bash_command"],
      ],
    }),
    tool("grep", "search", {
      aliases: [
        ...["Grep", "Glob", "find", "ls", "search"],
        ...["search_dir", "search_file", "find_file", "glob", "LS", "list_dir", "list_files"],
        ...["list_directory", "grep_search", "file_search", "codebase_search", "search_files", "find_files"],
        ...["search_file_content"],
      ],
    }),
    tool("git", "execute"),
    tool("ipython", "execute", {
      aliases: ["execute_ipython_cell", "run_ipython", "python", "execute_python", "jupyter"],
    }),
    submit,
    tool("finish", "submit", { aliases: ["exit", "attempt_completion", "task_complete"] }),
    think,
    tool("goto", "navigate", {
      aliases: ["scroll_down", "scroll_up"],
      effect: "none",
      repeatable: true,
    }),
    tool("web_search", "search", { aliases: ["WebSearch"] }),
    tool("web_fetch", "read", { statefulKey: "url", aliases: ["WebFetch", "fetch"] }),
    tool("plan", "think", {
      aliases: ["TodoWrite", "TodoRead", "update_plan", "task_tracker", "ExitPlanMode"],
    }),
    tool("delegate", "execute", { aliases: ["Task", "Agent"] }),
    tool("process_output", "execute", {
      aliases: ["BashOutput", "KillBash", "KillShell", "write_stdin"],
      repeatable: true,
    }),
  ],
  outcomeSpec: {
    ...successOnly,
    scoreField: "tests_passed",
    totalField: "tests_total",
    failedField: "tests_failed",
  },
  taskFields: ["repo", "base_commit", "test_command", "language"],
  rubricWeights: {},
};

const browser: DomainProfile = {
  domain: "browser",
  displayName: "Browser",
  tools: [
    // A click, a choice or typed text may change the whole page.
    tool("click", "write", {
      statefulKey: "element_id",
      aliases: ["tap", "web_browser_click"],
      effect: "world",
    }),
    tool("type_text", "write", {
      statefulKey: "element_id",
      aliases: ["type", "fill", "input", "web_browser_type", "web_browser_type_submit"],
      effect: "world",
    }),
    tool("navigate", "navigate", {
      statefulKey: "url",
      aliases: ["goto", "open_url", "web_browser_go"],
      effect: "world",
    }),
    tool("screenshot", "read", { repeatable: true }),
    tool("scroll", "navigate", {
      aliases: ["scroll_up", "scroll_down", "web_browser_scroll"],
      effect: "none",
      repeatable: true,
    }),
    tool("wait", "read", { repeatable: true }),
    tool("extract_text", "read"),
    tool("select", "write", { effect: "world" }),
    submit,
    tool("back", "navigate", {
      aliases: ["go_back", "go_forward", "web_browser_back", "web_browser_forward", "web_browser_refresh"],
      effect: "world",
      repeatable: true,
    }),
  ],
  outcomeSpec: successOnly,
  taskFields: ["url", "expected_result"],
  rubricWeights: {},
};

const conversation: DomainProfile = {
  domain: "conversation",
  displayName: "Conversation",
  tools: [
    respond("reply", "answer"),
    tool("query_stats", "read", { aliases: ["query", "lookup", "get_stats"] }),
    tool("send_message", "write", { aliases: ["message", "notify"], effect: "none" }),
    tool("delegate", "execute", { aliases: ["assign", "dispatch"] }),
    tool("web_search", "search", { aliases: ["search", "browse"] }),
    note,
    think,
  ],
  outcomeSpec: successOnly,
  taskFields: ["context", "role", "style"],
  rubricWeights: {},
};

const engineering: DomainProfile = {
  domain: "engineering",
  displayName: "Engineering",
  tools: [
    tool("read_file", "read", { statefulKey: "file_path", aliases: ["file_read", "cat"] }),
    tool("grep", "search", { aliases: ["glob", "find", "search"] }),
    tool("git", "execute", { aliases: ["git_diff", "git_log"] }),
    tool("knowledge_base", "read", { aliases: ["kb", "docs"] }),
    tool("bash", "execute", { aliases: ["shell", "run"] }),
    think,
    respond(),
    submit,
    finish,
  ],
  outcomeSpec: successOnly,
  taskFields: ["target", "focus"],
  rubricWeights: {},
};

const advisory: DomainProfile = {
  domain: "advisory",
  displayName: "Advisory",
  tools: [
    respond("reply", "answer"),
    tool("knowledge_base", "read", { aliases: ["kb", "docs", "research"] }),
    tool("web_search", "search", { aliases: ["search", "browse"] }),
    note,
    think,
    submit,
    finish,
  ],
  outcomeSpec: successOnly,
  taskFields: ["context", "domain"],
  rubricWeights: {},
};

const discussion: DomainProfile = {
  domain: "discussion",
  displayName: "Discussion",
  tools: [
    respond("reply", "contribute"),
    tool("knowledge_base", "read", { aliases: ["kb", "reference"] }),
    think,
    submit,
  ],
  outcomeSpec: successOnly,
  taskFields: ["topic", "participants"],
  rubricWeights: {},
};

const crew: DomainProfile = {
  domain: "crew",
  displayName: "Crew",
  tools: [
    respond("reply", "answer"),
    tool("read_notes", "read", { aliases: ["read_file", "Read"] }),
    tool("write_notes", "write", { aliases: ["write_file", "Write", "edit_file", "Edit"] }),
    tool("web_search", "search", { aliases: ["search", "browse", "WebSearch"] }),
    tool("web_fetch", "read", { aliases: ["fetch", "WebFetch"] }),
    tool("bash", "execute", { aliases: ["Bash", "shell", "run"] }),
    tool("delegate", "execute", { aliases: ["assign", "dispatch", "pull"] }),
    think,
  ],
  // Steps per token say nothing about success, so a crew run is judged by success alone.
  outcomeSpec: successOnly,
  taskFields: ["employee", "role", "context"],
  rubricWeights: {},
};

const generic: DomainProfile = {
  domain: "generic",
  displayName: "Generic",
  tools: [],
  outcomeSpec: successOnly,
  taskFields: [],
  rubricWeights: {},
};

const profiles: ReadonlyMap<string, DomainProfile> = new Map(
  [coding, browser, conversation, engineering, advisory, discussion, crew, generic].map((profile) => [
    profile.domain,
    profile,
  ]),
);

/** The built-in profile of that name; the generic one where there is none. */
export function getDomainProfile(name: string): DomainProfile {
  return profiles.get(name) ?? generic;
}

/** Whether a built-in profile of that name exists. */
export function isBuiltinDomain(name: string): boolean {
  return profiles.has(name);
}

/** Names of the built-in profiles, in the order in which ties between them are decided. */
export function listDomainProfiles(): readonly string[] {
  return [...profiles.keys()];
}
