import type { BareRepository } from "./bare-repository.ts";
import type { LabelledRun } from "./labelled-sets.ts";

interface TrialResult {
  readonly task_id: string;
  readonly instruction: string;
  readonly is_resolved: boolean | null;
}

/**
 * Terminal-Bench trials of mini-swe-agent: what it printed to its terminal, turned back into its messages.
 * Trials in which the agent never started are left out.
 */
export async function* terminalBenchMini(repository: BareRepository): AsyncGenerator<LabelledRun> {
  const root = "results/terminal-bench-core@0.1.1/20250825_swe-agent-mini_claude-4-sonnet/";
  for (const path of repository.paths(root, "/sessions/agent.log")) {
    const trial = path.slice(0, -"sessions/agent.log".length);
    const result = await repository.json<TrialResult>(`${trial}results.json`);
    if (typeof result?.is_resolved !== "boolean") continue;
    const text = await repository.text(path);
    const messages = text === null ? [] : messagesOf(text);
    if (!messages.some(({ role }) => role === "assistant")) continue;
    yield {
      name: trial.slice(root.length).split("/").slice(0, 2).join("-"),
      log: {
        instance_id: result.task_id,
        info: { mini_version: "1" },
        messages,
        trajectory_format: "mini-swe-agent-1",
      },
      task: result.task_id,
      group: result.task_id,
      label: result.is_resolved ? 1 : 0,
    };
  }
}

interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

const heading = /^(?:(mini-swe-agent) \(step \d+, \$[\d.]+\)|(System)|(User)):$/;
/** What a spinner, a rule or the library that calls the model left on the terminal. */
const noise = /^.?\S{0,2} ?Waiting for the LM to respond|^─{5,}|^\d\d:\d\d:\d\d - LiteLLM/;

/** Splits the terminal's text at the headings the agent prints above each message. */
function messagesOf(terminal: string): readonly Message[] {
  const text = terminal
    // Terminals are steered by control characters.
    .replace(/\u001b\[[0-9;?]*[a-zA-Z]|\u001b[()][A-Z0-9]|\r/g, "")
    .replace(/(?:[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ?Waiting for the LM to respond\.{3})+/g, "");
  const messages: Message[] = [];
  let role: Message["role"] | null = null;
  let lines: string[] = [];
  let muted = false;
  const flush = (): void => {
    const content = lines.join("\n").trim();
    if (role !== null && content !== "") messages.push({ role, content });
    lines = [];
  };
  for (const line of text.split("\n")) {
    const found = heading.exec(line.trimEnd());
    if (found !== null) {
      flush();
      muted = false;
      role = found[1] !== undefined ? "assistant" : found[2] !== undefined ? "system" : "user";
    } else if (noise.test(line) || line.startsWith("Saved trajectory to")) muted = true;
    else if (!muted) lines.push(line);
  }
  flush();
  return messages;
}
