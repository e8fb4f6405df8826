import type { ChatMessage } from "../sft-messages.ts";
import { argumentsValue, withThinking } from "./chat-tools.ts";
import { isAllTrainable, MASKED } from "./prompt-completion.ts";
import { originOf, type Rendering, refused, row, type Source } from "./rendering.ts";
import { toolsText } from "./tools-text.ts";

export interface Turn {
  readonly from: "human" | "observation" | "gpt" | "function_call";
  readonly value: string;
}

export interface Sharegpt {
  readonly system: string;
  /** Begins with a turn of the environment; whose turn it is alternates. */
  readonly turns: readonly Turn[];
}

export const AGENT_FIRST = "the agent speaks first";

export function sharegptRow(source: Source): Rendering {
  if (!isAllTrainable(source.messages)) return refused(MASKED);
  const { system, turns } = sharegpt(source.messages.map(({ message }) => message));
  const last = turns.findLastIndex(isAgents);
  if (!isPaired(turns) || last < 0) return refused(AGENT_FIRST);
  return row({
    conversations: turns.slice(0, last + 1),
    system,
    tools: toolsText(source.trajectory),
    ...originOf(source),
  });
}

export function isAgents({ from }: Turn): boolean {
  return from === "gpt" || from === "function_call";
}

/** Whether the environment speaks first, as every even place asks for. */
export function isPaired(turns: readonly Turn[]): boolean {
  const [first] = turns;
  return first !== undefined && !isAgents(first);
}

/** Chat messages as turns that alternate: neighbours of one side become one turn. */
export function sharegpt(messages: readonly ChatMessage[]): Sharegpt {
  const start = messages.findIndex(({ role }) => role !== "system" && role !== "developer");
  const head = start < 0 ? messages : messages.slice(0, start);
  const sides: ChatMessage[][] = [];
  for (const message of messages.slice(head.length)) {
    const side = sides.at(-1);
    const isAssistant = message.role === "assistant";
    if (side !== undefined && (side[0]?.role === "assistant") === isAssistant) side.push(message);
    else sides.push([message]);
  }
  return {
    system: head.map(({ content }) => content).join("\n\n"),
    turns: sides.map((side) => (side[0]?.role === "assistant" ? agentTurn(side) : environmentTurn(side))),
  };
}

/** How LLaMA-Factory itself joins the results of parallel calls. */
const BETWEEN_RESULTS = "\n</tool_response>\n<tool_response>\n";

function environmentTurn(side: readonly ChatMessage[]): Turn {
  if (side.every(({ role }) => role === "tool")) {
    return { from: "observation", value: side.map(({ content }) => content).join(BETWEEN_RESULTS) };
  }
  return { from: "human", value: side.map(({ content }) => content).join("\n\n") };
}

export function agentTurn(side: readonly ChatMessage[]): Turn {
  const calls = side.flatMap(({ tool_calls }) => tool_calls ?? []);
  const reasoning = side.flatMap(({ reasoning_content }) => reasoning_content ?? []);
  const said = side.map(({ content }) => content).filter((content) => content !== "");
  if (calls.length === 0) {
    return { from: "gpt", value: withThinking(reasoning.join("\n\n"), said.join("\n\n")) };
  }
  const json = calls.map(({ function: { name, arguments: text } }) => ({
    name,
    arguments: argumentsValue(text),
  }));
  // The formatter takes what stands in think tags off before it reads the rest as JSON.
  const thought = [...reasoning, ...said].join("\n\n").replaceAll("</think>", "");
  return { from: "function_call", value: withThinking(thought, JSON.stringify(json)) };
}

/** The `dataset_info.json` of LLaMA-Factory. */
export function datasetInfo(
  files: readonly { readonly path: string; readonly split: string }[],
  { name, ranking }: { readonly name: string; readonly ranking: boolean },
): string {
  const bySplit = Map.groupBy(files, ({ split }) => split);
  const entries = [...bySplit].flatMap(([split, of]) =>
    of.map(({ path }, index) => {
      const entry = {
        file_name: path,
        formatting: "sharegpt",
        ...(ranking ? { ranking: true } : {}),
        columns: {
          messages: "conversations",
          system: "system",
          tools: "tools",
          ...(ranking ? { chosen: "chosen", rejected: "rejected" } : {}),
        },
      };
      const part = of.length === 1 ? "" : `_${String(index).padStart(5, "0")}`;
      return [`${name}_${split}${part}`, entry] as const;
    }),
  );
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
