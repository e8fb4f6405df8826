import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";

/** A seeded generator of 32-bit numbers (mulberry32), so that every run measures the same bytes. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const root = resolve(import.meta.dirname, "../..");

/** Real text for tool outputs: the project's own sources and documents. */
function texts(): readonly string[] {
  const folders = [
    "shared/trajectory",
    "shared/reading",
    "shared/reward",
    "shared/domains",
    "test/reading",
    "containers",
  ];
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|md)$/.test(name))
      .map((name) => readFileSync(join(root, folder, name), "utf8")),
  );
}

interface Message {
  readonly role: string;
  readonly content: string;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
}

const TASKS = 500;

/** One chat row of a coding agent: about 30 turns that read, search, edit and test, some 60 KB. */
function chatRow(
  index: number,
  context: {
    readonly random: () => number;
    readonly corpus: readonly string[];
    /** The attempts at a task begin with the same messages. */
    readonly samePrompts: boolean;
  },
): unknown {
  const { corpus } = context;
  let random = context.samePrompts ? seeded(index % TASKS) : context.random;
  const pick = <T>(items: readonly T[], none: T): T => items[Math.floor(random() * items.length)] ?? none;
  const slice = (size: number): string => {
    const text = pick(corpus, "");
    const start = Math.floor(random() * Math.max(1, text.length - size));
    return text.slice(start, start + size);
  };
  const messages: Message[] = [
    { role: "system", content: `You are a coding agent in /workspace.\n${slice(1500)}` },
    {
      role: "user",
      content: `Task ${context.samePrompts ? index % TASKS : index}: make the tests of module ${Math.floor(random() * 400)} pass.\n${slice(800)}`,
    },
  ];
  random = context.random;
  for (let turn = 0; turn < 30; turn += 1) {
    const id = `call_${index}_${turn}`;
    const file = `/workspace/src/module_${Math.floor(random() * 40)}.ts`;
    const call = pick<{ name: string; arguments: Record<string, unknown> }>(
      [
        { name: "read_file", arguments: { file_path: file, start_line: Math.floor(random() * 400) } },
        { name: "bash", arguments: { command: `grep -rn 'name_${Math.floor(random() * 900)}' src | head` } },
        { name: "edit_file", arguments: { file_path: file, old_string: slice(120), new_string: slice(140) } },
        { name: "bash", arguments: { command: `npm test -- ${file}` } },
      ],
      { name: "think", arguments: {} },
    );
    messages.push({
      role: "assistant",
      content: `I look at ${file} next.`,
      tool_calls: [
        { id, type: "function", function: { ...call, arguments: JSON.stringify(call.arguments) } },
      ],
    });
    const output =
      random() < 0.03
        ? `ADMIN_EMAIL=admin${index}@example-mail.net\n${slice(900)}`
        : slice(400 + Math.floor(random() * 2600));
    messages.push({ role: "tool", tool_call_id: id, content: output });
  }
  messages.push({ role: "assistant", content: "All tests pass now." });
  return { instance_id: `task-${index % TASKS}`, model: "bench-1", resolved: random() < 0.6, messages };
}

/** Writes chat rows as JSONL files until `bytes` are written; returns what was written. */
export function writeCorpus(options: {
  readonly folder: string;
  readonly bytes: number;
  readonly files: number;
  readonly seed: number;
  readonly samePrompts?: boolean;
}): { readonly bytes: number; readonly rows: number; readonly paths: readonly string[] } {
  mkdirSync(join(options.folder, "bench-team"), { recursive: true });
  const { samePrompts = false } = options;
  const context = { random: seeded(options.seed), corpus: texts(), samePrompts };
  const paths: string[] = [];
  let total = 0;
  let rows = 0;
  for (let file = 0; file < options.files; file += 1) {
    const path = join(options.folder, "bench-team", `rows-${String(file).padStart(4, "0")}.jsonl`);
    const handle = openSync(path, "w");
    const upTo = ((file + 1) * options.bytes) / options.files;
    while (total < upTo) {
      const line = Buffer.from(`${JSON.stringify(chatRow(rows, context))}\n`);
      writeSync(handle, line);
      total += line.length;
      rows += 1;
    }
    closeSync(handle);
    paths.push(path);
  }
  return { bytes: total, rows, paths };
}
