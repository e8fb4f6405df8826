import { Buffer } from "node:buffer";

/** Small agent logs of several formats, as their writers would write them. */

export interface ChatFacts {
  readonly task?: string;
  readonly session?: string;
  readonly success?: boolean;
  readonly model?: string;
  /** Tool calls of the agent, with what came back. */
  readonly calls?: readonly (readonly [command: string, output: string])[];
  readonly prompt?: string;
  readonly answer?: string;
  /** A picture that the user shows. */
  readonly image?: Uint8Array;
  /** Whole fields beside the messages. */
  readonly more?: Readonly<Record<string, unknown>>;
}

const CALLS: NonNullable<ChatFacts["calls"]> = [
  ["ls", "a.txt\nb.txt"],
  ["cat a.txt", "one line"],
];

/** Messages of a run with native tool calls. */
export function chatMessages(facts: ChatFacts = {}): readonly unknown[] {
  const {
    calls = CALLS,
    prompt = "Read a.txt and say what it holds.",
    answer = "It holds one line.",
    image,
  } = facts;
  return [
    { role: "system", content: "You work in a shell." },
    { role: "user", content: image === undefined ? prompt : withPicture(prompt, image) },
    ...calls.flatMap(([command, output], index) => [
      {
        role: "assistant",
        content: `Step ${index + 1}.`,
        tool_calls: [
          {
            id: `call_${index + 1}`,
            type: "function",
            function: { name: "bash", arguments: JSON.stringify({ command }) },
          },
        ],
      },
      { role: "tool", tool_call_id: `call_${index + 1}`, content: output },
    ]),
    ...(answer === "" ? [] : [{ role: "assistant", content: answer }]),
  ];
}

function withPicture(text: string, image: Uint8Array): unknown {
  const url = `data:image/png;base64,${Buffer.from(image).toString("base64")}`;
  return [
    { type: "text", text },
    { type: "image_url", image_url: { url } },
  ];
}

/** One row of a chat log, as JSON text. */
export function chatRow(facts: ChatFacts = {}): string {
  const { task, session, success = true, model, more = {} } = facts;
  return JSON.stringify({
    ...(task === undefined ? {} : { task_id: task }),
    ...(session === undefined ? {} : { session_id: session }),
    ...(model === undefined ? {} : { model }),
    success,
    messages: chatMessages(facts),
    ...more,
  });
}

/** A file whose lines are the messages of one session. */
export function chatLines(facts: ChatFacts = {}): string {
  return chatMessages(facts)
    .map((message) => `${JSON.stringify(message)}\n`)
    .join("");
}

/** An ATIF document, pretty-printed. */
export function atifDocument(
  facts: {
    readonly task?: string;
    readonly session?: string;
    readonly success?: boolean;
    readonly turns?: number;
  } = {},
): string {
  const { task = "atif-task", session, success = true, turns = 2 } = facts;
  const document = {
    schema_version: "ATIF-v1.8",
    ...(session === undefined ? {} : { session_id: session }),
    agent: { name: "house-agent", version: "1.0", model_name: "house-model" },
    steps: [
      { step_id: 1, source: "user", message: `Do ${task}.` },
      ...Array.from({ length: turns }, (_, turn) => ({
        step_id: turn + 2,
        source: "agent",
        message: `turn ${turn}`,
        tool_calls: [
          { tool_call_id: `c${turn}`, function_name: "bash", arguments: { command: `run ${turn}` } },
        ],
        observation: { results: [{ source_call_id: `c${turn}`, content: `output ${turn}` }] },
      })),
    ],
    extra: { task_id: task, resolved: success },
  };
  return JSON.stringify(document, null, 2);
}

/** An event log of a crew worker. */
export function crewSession(facts: { readonly goal?: string; readonly notes?: number } = {}): string {
  const { goal = "Name the slowest route.", notes = 2 } = facts;
  const at = (second: number): string => `2026-01-14T12:16:${String(second).padStart(2, "0")}.000Z`;
  const events = [
    {
      event: "start",
      session_type: "employee",
      subject: "log-reader",
      timestamp: at(0),
      metadata: { args: { target: "logs/slow.txt", goal } },
    },
    { event: "message", role: "prompt", content: `You read logs. ${goal}`, timestamp: at(1) },
    ...Array.from({ length: notes }, (_, note) => ({
      event: "message",
      role: "assistant",
      content: `note ${note}`,
      timestamp: at(2 + note),
    })),
    { event: "end", status: "completed", timestamp: at(30) },
  ];
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}
