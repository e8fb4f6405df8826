import type { BareRepository } from "./bare-repository.ts";
import type { LabelledRun } from "./labelled-sets.ts";

interface TauRow {
  readonly task_id: number;
  readonly trial: number;
  readonly reward: number;
  readonly traj: readonly unknown[];
}

/** Rows of tau-bench: OpenAI messages under `traj`, a reward of 1 for a right final state. */
export async function* tauBenchTrajectories(repository: BareRepository): AsyncGenerator<LabelledRun> {
  for (const path of repository.paths("historical_trajectories/", ".json")) {
    const stem = stemOf(path);
    for (const row of (await repository.json<readonly TauRow[]>(path)) ?? []) {
      yield {
        name: `${stem}-${row.task_id}-${row.trial}`,
        log: { messages: row.traj, task_id: `${stem}-${row.task_id}` },
        format: "openai-messages",
        task: `${stem}-${row.task_id}`,
        group: `${stem}-${row.task_id}`,
        label: row.reward === 1 ? 1 : 0,
      };
    }
  }
}

interface Tau2Message {
  readonly role: string;
  readonly content: string | null;
  readonly id?: string;
  readonly requestor?: string;
  readonly tool_calls?:
    | readonly {
        readonly id: string;
        readonly name: string;
        readonly arguments: unknown;
        readonly requestor?: string;
      }[]
    | null;
}

interface Tau2File {
  readonly simulations?: readonly {
    readonly task_id: string;
    readonly trial: number;
    readonly reward_info: { readonly reward: number } | null;
    readonly messages: readonly Tau2Message[];
  }[];
}

/** Simulations of tau2-bench. What the simulated user does with tools of its own is left out. */
export async function* tau2Simulations(repository: BareRepository): AsyncGenerator<LabelledRun> {
  for (const path of repository.paths("samples/logs/", ".json")) {
    const stem = stemOf(path);
    for (const each of (await repository.json<Tau2File>(path))?.simulations ?? []) {
      if (each.reward_info === null) continue;
      yield {
        name: `${stem}-${each.task_id}-${each.trial}`,
        log: { messages: each.messages.flatMap(chatMessage), task_id: each.task_id },
        format: "openai-messages",
        task: `${stem}-${each.task_id}`,
        group: each.task_id,
        label: each.reward_info.reward === 1 ? 1 : 0,
      };
    }
  }
}

function chatMessage(message: Tau2Message): readonly unknown[] {
  if (message.role === "tool") {
    if (message.requestor === "user") return [];
    return [{ role: "tool", tool_call_id: message.id, content: message.content ?? "" }];
  }
  const calls = (message.tool_calls ?? []).filter((call) => call.requestor !== "user");
  if (message.role !== "assistant" || calls.length === 0) {
    return message.content === null ? [] : [{ role: message.role, content: message.content }];
  }
  return [
    {
      role: "assistant",
      content: message.content ?? "",
      tool_calls: calls.map((call) => ({
        id: call.id,
        type: "function",
        function: { name: call.name, arguments: JSON.stringify(call.arguments ?? {}) },
      })),
    },
  ];
}

function stemOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.json$/, "");
}
