import { z } from "zod";
import { type ExecRequest, type ExecResult, type Sandbox, SandboxError } from "../ports/sandbox.ts";
import { confinedPath } from "../sandbox/confined-path.ts";
import type { EnvTool } from "./protocol.ts";
import { commandText, type Shown } from "./sandbox-text.ts";

/** What a tool works with. */
export interface ToolContext {
  readonly sandbox: Sandbox;
  readonly env: Readonly<Record<string, string>>;
  /** The longest that a command may take now. */
  readonly timeoutMs: number;
  /** Of stdout and of stderr, each, and of a file that is shown. */
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal;
  /** Told how long commands took. */
  readonly spent: (durationMs: number) => void;
}

interface SandboxTool<Params extends z.ZodObject> extends EnvTool {
  readonly params: Params;
  run(params: z.infer<Params>, context: ToolContext): Promise<Shown>;
}

/** Files larger than this are for the shell's tools. */
const LARGEST_FILE = 8 << 20;

/** bash where the image has it, since that is what agents write. The command is an argument, not program text. */
const SHELL = `if command -v bash >/dev/null 2>&1; then exec bash -c "$1"; else exec sh -c "$1"; fi`;

export function shellCommand(command: string): readonly string[] {
  return ["/bin/sh", "-c", SHELL, "sh", command];
}

export async function execute(
  request: Pick<ExecRequest, "command" | "cwd" | "env"> & { readonly timeoutMs?: number },
  context: ToolContext,
): Promise<{ readonly result: ExecResult; readonly timeoutMs: number }> {
  const timeoutMs = Math.min(request.timeoutMs ?? Number.POSITIVE_INFINITY, context.timeoutMs);
  const { maxOutputBytes } = context;
  const env = { ...context.env, ...request.env };
  const result = await context.sandbox.exec({ ...request, env, timeoutMs, maxOutputBytes }, context.signal);
  context.spent(result.durationMs);
  return { result, timeoutMs };
}

async function command(...args: Parameters<typeof execute>): Promise<Shown> {
  const { result, timeoutMs } = await execute(...args);
  return commandText(result, timeoutMs);
}

function failure(text: string): Shown {
  return { text, exitCode: 1, error: text };
}

const path = z.string().min(1).describe("Path of a file, relative to the workspace");
const line = z.int().positive();

const shell = tool({
  name: "shell",
  description:
    "Run a shell command in the workspace. Each call is a shell of its own: variables and the current folder do not last, files and background processes do.",
  params: z.strictObject({
    command: z.string().min(1).describe("The command line"),
    timeout_s: z.number().positive().optional().describe("Seconds after which the command is ended"),
    cwd: z.string().min(1).optional().describe("Folder to run in; the workspace where absent"),
  }),
  run: (params, context) =>
    command(
      {
        command: shellCommand(params.command),
        ...(params.cwd === undefined ? {} : { cwd: params.cwd }),
        ...(params.timeout_s === undefined ? {} : { timeoutMs: params.timeout_s * 1000 }),
      },
      context,
    ),
});

const fileRead = tool({
  name: "file_read",
  description: "Read a text file, or some of its lines.",
  params: z.strictObject({
    path,
    start_line: line.optional().describe("First line to show, from 1"),
    end_line: line.optional().describe("Last line to show"),
  }),
  async run(params, { sandbox, maxOutputBytes }) {
    const bytes = await sandbox.get(params.path, { maxBytes: LARGEST_FILE });
    if (bytes === "missing") return failure(`There is no file ${params.path}.`);
    if (bytes.includes(0)) return failure(`${params.path} is no text: ${bytes.length} bytes.`);
    const text = new TextDecoder().decode(bytes);
    const lines = text.split("\n");
    if (text.endsWith("\n")) lines.pop();
    const { start_line: start = 1, end_line: end = lines.length } = params;
    if (start > Math.max(1, lines.length)) {
      return failure(`${params.path} has ${lines.length} lines; line ${start} is after its end.`);
    }
    if (end < start) return failure(`end_line ${end} is before start_line ${start}.`);
    const whole = start === 1 && end >= lines.length;
    const shown = whole ? text : `${lines.slice(start - 1, end).join("\n")}\n`;
    return { text: shortened(shown, maxOutputBytes), exitCode: 0 };
  },
});

const fileWrite = tool({
  name: "file_write",
  description: "Write a file with the given content; folders are made, what stood there is replaced.",
  params: z.strictObject({ path, content: z.string().describe("The whole content of the file") }),
  async run(params, { sandbox }) {
    const bytes = new TextEncoder().encode(params.content);
    await sandbox.put([{ path: params.path, bytes }]);
    return { text: `Wrote ${bytes.length} bytes to ${params.path}.`, exitCode: 0 };
  },
});

const edit = tool({
  name: "edit",
  description: "Replace a text in a file. The old text must stand there exactly once, white space included.",
  params: z.strictObject({
    path,
    old: z.string().min(1).describe("The text to replace"),
    new: z.string().describe("What comes in its place"),
  }),
  async run(params, { sandbox }) {
    const bytes = await sandbox.get(params.path, { maxBytes: LARGEST_FILE });
    if (bytes === "missing") return failure(`There is no file ${params.path}.`);
    const text = utf8Text(bytes);
    if (text === undefined) return failure(`${params.path} is no UTF-8 text.`);
    const at = text.indexOf(params.old);
    if (at < 0) return failure(`The old text does not stand in ${params.path}; read the file again.`);
    if (text.indexOf(params.old, at + 1) >= 0) {
      return failure(`The old text stands more than once in ${params.path}; give more of what is around it.`);
    }
    const changed = text.slice(0, at) + params.new + text.slice(at + params.old.length);
    await sandbox.put([{ path: params.path, bytes: new TextEncoder().encode(changed) }]);
    const first = text.slice(0, at).split("\n").length;
    return { text: `Changed ${params.path} from line ${first} on.`, exitCode: 0 };
  },
});

const search = tool({
  name: "search",
  description: "Find lines that match an extended regular expression in the files of the workspace.",
  params: z.strictObject({
    pattern: z.string().min(1).describe("The expression, as grep -E takes it"),
    path: z.string().min(1).optional().describe("File or folder to look in; the workspace where absent"),
    glob: z.string().min(1).optional().describe("Only files with such names, for example *.py"),
  }),
  async run(params, context) {
    const { workspace } = context.sandbox.spec;
    const place = params.path ?? ".";
    const isRoot = [".", "./", workspace, `${workspace}/`].includes(place);
    const where = isRoot ? "." : `./${confinedPath(place, workspace)}`;
    const only = params.glob === undefined ? [] : [`--include=${params.glob}`];
    const grep = ["grep", "-rnIE", "--exclude-dir=.git", ...only, "-e", params.pattern, "--", where];
    const { result, timeoutMs } = await execute({ command: grep }, context);
    const { end, stderr } = result;
    // grep's code for finding nothing; a fault has another.
    if (end.kind === "exit" && end.code === 1 && stderr.length === 0)
      return { text: "No matches.", exitCode: 0 };
    return commandText(result, timeoutMs);
  },
});

const git = tool({
  name: "git",
  description: "Run git in the workspace.",
  params: z.strictObject({
    args: z.array(z.string()).min(1).describe('The arguments, one by one, for example ["diff", "--stat"]'),
  }),
  run: ({ args }, context) =>
    command(
      {
        command: ["git", ...args],
        // Nobody is there to page or to answer.
        env: { GIT_PAGER: "cat", PAGER: "cat", GIT_TERMINAL_PROMPT: "0", GIT_EDITOR: "true" },
      },
      context,
    ),
});

/** The environment itself carries it out. */
const submit: EnvTool = {
  name: "submit",
  description: "Hand in the work: the task ends, and it is tested as the workspace stands.",
  params: z.strictObject({ message: z.string().optional().describe("What was done, in a few words") }),
};

const TOOLS = [shell, fileRead, fileWrite, edit, search, git];

export const SANDBOX_TOOLS: readonly EnvTool[] = [...TOOLS, submit];

/** @throws SandboxError where the sandbox is gone, or cannot do what it must */
export async function runSandboxTool(
  name: string,
  params: Readonly<Record<string, unknown>>,
  context: ToolContext,
): Promise<Shown> {
  const found = TOOLS.find((each) => each.name === name);
  if (found === undefined) throw new RangeError(`no sandbox tool ${name}`);
  try {
    return await found.run(params, context);
  } catch (error) {
    // What is not allowed or fails in the workspace is the agent's to deal with.
    if (!(error instanceof SandboxError) || error.reason === "lost" || error.reason === "unavailable")
      throw error;
    const failed = failure(error.message);
    return error.reason === "refused" ? { ...failed, violation: error.message } : failed;
  }
}

/** Params come checked: the environment holds them against the schema before. */
function tool<Params extends z.ZodObject>(
  definition: SandboxTool<Params>,
): EnvTool & {
  run(params: Readonly<Record<string, unknown>>, context: ToolContext): Promise<Shown>;
} {
  const { run, ...rest } = definition;
  return { ...rest, run: (params, context) => run(definition.params.parse(params), context) };
}

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whole lines from both ends, `most` characters in all. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  const head = text.slice(0, text.lastIndexOf("\n", half) + 1 || half);
  const from = text.length - half;
  const tail = text.slice(text.indexOf("\n", from) + 1 || from);
  const left = text.length - head.length - tail.length;
  return `${head}[… ${left} characters left out; read some lines only …]\n${tail}`;
}
