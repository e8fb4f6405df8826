import type { BareRepository } from "./bare-repository.ts";
import type { LabelledRun } from "./labelled-sets.ts";

interface TauRow {
  readonly task_id: number;
  readonly trial: number;
  readonly reward: number;
  /** Without a task where the run broke off before it had an end. */
  readonly info: { readonly task?: { readonly user_id: string } };
  readonly traj: readonly unknown[];
}

/** Rows of tau-bench: OpenAI messages under `traj`, a reward of 1 for a right final state. */
export async function* tauBenchTrajectories(
  repository: BareRepository,
  start = "historical_trajectories/",
): AsyncGenerator<LabelledRun> {
  for (const path of repository.paths(start, ".json")) {
    const stem = stemOf(path);
    for (const row of (await repository.json<readonly TauRow[]>(path)) ?? []) {
      if (row.info.task === undefined) continue;
      yield {
        name: `${stem}-${row.task_id}-${row.trial}`,
        log: { messages: row.traj, task_id: `${stem}-${row.task_id}` },
        format: "openai-messages",
        task: `${stem}-${row.task_id}`,
        group: customer(row.info.task.user_id),
        label: row.reward === 1 ? 1 : 0,
      };
    }
  }
}

/**
 * The customer whom a task is about, without the number that user ids end in. Tasks of one customer are close to each
 * other, and tau2-bench took its tasks over from tau-bench under other ids.
 */
function customer(text: string): string {
  const named = fromName(text) ?? /\b([a-z]+_[a-z]+)_\d{4}\b/.exec(text)?.[1];
  if (named === undefined) throw new Error("a task of tau-bench names no customer");
  return `customer ${named}`;
}

function fromName(text: string): string | undefined {
  const name =
    /(?:You are|You're|Your? name is|Customer information:(?:\s|\\n)*(?:Name: )?) ?([A-Z][a-z]+) ([A-Z][a-z]+)/.exec(
      text,
    );
  return name === null ? undefined : `${name[1]}_${name[2]}`.toLowerCase();
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
  readonly tasks: readonly { readonly id: string }[];
  readonly simulations?: readonly {
    readonly task_id: string;
    readonly trial: number;
    readonly reward_info: { readonly reward: number } | null;
    readonly messages: readonly Tau2Message[];
  }[];
}

/** Simulations of tau2-bench. What the simulated user does with tools of its own is left out. */
export async function* tau2Simulations(
  repository: BareRepository,
  start = "samples/logs/",
): AsyncGenerator<LabelledRun> {
  for (const path of repository.paths(start, ".json")) {
    const stem = stemOf(path);
    const file = await repository.json<Tau2File>(path);
    const customers = new Map(file?.tasks?.map((task) => [task.id, customer(JSON.stringify(task))]));
    for (const each of file?.simulations ?? []) {
      const group = customers.get(each.task_id);
      if (each.reward_info === null || group === undefined) continue;
      yield {
        name: `${stem}-${each.task_id}-${each.trial}`,
        log: { messages: each.messages.flatMap(chatMessage), task_id: each.task_id },
        format: "openai-messages",
        task: `${stem}-${each.task_id}`,
        group,
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

interface SessionLine {
  readonly type: string;
  readonly message?: { readonly id?: string; readonly content: string | readonly SessionBlock[] };
}

interface SessionBlock {
  readonly type: string;
  readonly text?: string;
  readonly thinking?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: unknown;
  readonly tool_use_id?: string;
  readonly content?: unknown;
}

/** Retail tasks of tau2-bench in one order, without a user to talk to, as sessions of a command line agent. */
export async function* tau2SoloSessions(
  repository: BareRepository,
  settings: readonly string[],
): AsyncGenerator<LabelledRun> {
  for (const setting of settings) {
    const folder = `results/${setting}/`;
    const results = await repository.json<
      readonly { readonly task_id: string; readonly db_match: boolean }[]
    >(`${folder}eval_results.json`);
    for (const { task_id: task, db_match: right } of results ?? []) {
      const text = await repository.text(`${folder}task_${task}.jsonl`);
      if (text === null) continue;
      const lines = text.trim().split("\n");
      const messages = sessionMessages(lines.map((line) => JSON.parse(line) as SessionLine));
      yield {
        name: `${setting}-${task}`,
        log: { messages, task_id: task },
        format: "openai-messages",
        task: `${setting}-${task}`,
        group: customer(JSON.stringify(messages)),
        label: right ? 1 : 0,
      };
    }
  }
}

/** Blocks of one message stand on lines of their own. */
function sessionMessages(lines: readonly SessionLine[]): readonly unknown[] {
  const messages: unknown[] = [];
  let open: { readonly id: string | undefined; readonly blocks: SessionBlock[] } | undefined;
  const close = (): void => {
    if (open !== undefined) messages.push(assistantMessage(open.blocks));
    open = undefined;
  };
  for (const { type, message } of lines) {
    if (message === undefined) continue;
    const { content } = message;
    if (type === "assistant" && typeof content !== "string") {
      if (open === undefined || open.id !== message.id) {
        close();
        open = { id: message.id, blocks: [] };
      }
      open.blocks.push(...content);
    } else if (type === "user" && typeof content === "string") {
      close();
      messages.push({ role: "user", content });
    } else if (type === "user" && typeof content !== "string") {
      close();
      for (const block of content) {
        if (block.type !== "tool_result") continue;
        const answer = typeof block.content === "string" ? block.content : JSON.stringify(block.content);
        messages.push({ role: "tool", tool_call_id: block.tool_use_id, content: answer });
      }
    }
  }
  close();
  return messages;
}

function assistantMessage(blocks: readonly SessionBlock[]): unknown {
  const calls = blocks.filter(({ type }) => type === "tool_use");
  const thoughts = blocks.flatMap(({ thinking }) => thinking ?? []).join("\n");
  return {
    role: "assistant",
    content: blocks.flatMap(({ text }) => text ?? []).join("\n"),
    ...(thoughts === "" ? {} : { reasoning_content: thoughts }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ id, name, input }) => ({
            id,
            type: "function",
            function: { name, arguments: JSON.stringify(input ?? {}) },
          })),
        }),
  };
}
