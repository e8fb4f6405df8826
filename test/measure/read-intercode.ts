import type { BareRepository } from "./bare-repository.ts";
import type { LabelledRun } from "./labelled-sets.ts";

interface InterCodeRun {
  readonly task_id: number;
  readonly query: string;
  readonly turn_history: {
    readonly thoughts?: readonly string[];
    readonly actions: readonly string[];
    readonly observations: readonly unknown[];
  };
  readonly summary: { readonly max_reward: number };
}

/** ReAct runs of InterCode, in which the agent itself says when it is done; solved means a reward of 1. */
export async function* interCodeReact(
  repository: BareRepository,
  tool: "sql" | "bash",
): AsyncGenerator<LabelledRun> {
  const folder = `data/results/${tool}/gpt-3.5/ic_${tool}_react_10_turns`;
  for (const path of repository.paths(folder, ".json")) {
    const file = path.slice(path.lastIndexOf("/") + 1, -".json".length);
    const runs = await repository.json<Readonly<Record<string, InterCodeRun>>>(path);
    for (const [number, run] of Object.entries(runs ?? {})) {
      yield {
        name: `${file}-${number}`,
        log: { messages: messagesOf(run, tool), task_id: `${file}-${number}` },
        format: "openai-messages",
        task: `${file}-${number}`,
        group: `${file}-${number}`,
        label: run.summary.max_reward === 1 ? 1 : 0,
      };
    }
  }
}

function messagesOf({ query, turn_history: turns }: InterCodeRun, tool: string): readonly unknown[] {
  const messages: unknown[] = [{ role: "user", content: query }];
  for (const [turn, action] of turns.actions.entries()) {
    const code = /^execute\[([\s\S]*)\]$/.exec(action)?.[1];
    const submits = action.trim() === "submit";
    const name = submits ? "submit" : tool === "sql" ? "execute_sql" : "bash";
    const input = submits ? {} : tool === "sql" ? { query: code ?? action } : { command: code ?? action };
    messages.push({
      role: "assistant",
      content: turns.thoughts?.[turn] ?? "",
      tool_calls: [
        { id: `c${turn}`, type: "function", function: { name, arguments: JSON.stringify(input) } },
      ],
    });
    const seen = turns.observations[turn];
    if (!submits) {
      const content = typeof seen === "string" ? seen : JSON.stringify(seen ?? "");
      messages.push({ role: "tool", tool_call_id: `c${turn}`, content });
    }
  }
  return messages;
}
