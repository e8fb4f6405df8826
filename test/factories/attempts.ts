import { type ChatFacts, chatRow } from "./logs.ts";

/** The tools of the logs below: two, so that a column of objects would mix their parameters. */
export const TOOL_DEFINITIONS = [
  {
    type: "function",
    function: {
      name: "bash",
      description: "Runs a command.",
      parameters: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
    },
  },
  {
    type: "function",
    function: {
      name: "submit",
      description: "Ends the work.",
      parameters: { type: "object", properties: { note: { type: "string" }, force: { type: "boolean" } } },
    },
  },
] as const;

export function attemptRow(facts: ChatFacts): string {
  return chatRow({ ...facts, more: { tools: TOOL_DEFINITIONS, ...facts.more } });
}

/**
 * Attempts at tasks that begin alike and part: good ones look before they write, poor ones fail and repeat themselves.
 * One task has a single attempt, and one a single kind of attempt.
 */
export function attemptLines(tasks: number): readonly string[] {
  const lines: string[] = [];
  for (let task = 0; task < tasks; task += 1) {
    const common = { task: `task-${task}`, prompt: `Mend file ${task}. Größe: ${task}` } as const;
    const look = ["ls", "a.txt"] as const;
    lines.push(
      attemptRow({ ...common, calls: [look, ["cat a.txt", "one line"], ["sed -i s/a/b/ a.txt", ""]] }),
      attemptRow({
        ...common,
        calls: [look, ["cat b.txt", "no such file"], ["cat b.txt", "no such file"]],
        success: false,
      }),
      attemptRow({ ...common, calls: [["rm a.txt", "error: denied"]], answer: "", success: false }),
    );
  }
  lines.push(attemptRow({ task: "alone", prompt: "Mend nothing." }));
  lines.push(attemptRow({ task: "plain", prompt: "Say hello.", calls: [], answer: "Hello." }));
  return lines;
}
