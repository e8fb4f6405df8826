import { type Dice, iso, uuidOf } from "../clock.ts";
import type { Episode, RecordedTurn } from "../coding/episode.ts";
import { ROOT } from "../workspace.ts";
import { callOf, editorArguments, editorDefinition, toolDefinition } from "./tools.ts";

type Event = Readonly<Record<string, unknown>>;

const NAMES = { bash: "execute_bash", submit: "finish" };
const VERSION = "0.59.0";
const SYSTEM = `You work on software in ${ROOT}. Use the tools; call finish when you are done.`;

const tools = [
  toolDefinition({
    name: NAMES.bash,
    description: "Runs a command line in bash.",
    parameters: { command: "The command line" },
    required: 1,
  }),
  editorDefinition,
  toolDefinition({
    name: NAMES.submit,
    description: "Ends the work.",
    parameters: { message: "What was done" },
    required: 1,
  }),
];

/** The event stream of one session, as OpenHands 0.x exports it. */
export function openhandsEvents(episode: Episode): readonly Event[] {
  const { dice } = episode;
  const events: Event[] = [
    {
      id: 0,
      timestamp: stamp(episode.startedAt),
      source: "agent",
      message: SYSTEM,
      action: "system",
      args: { content: SYSTEM, tools, openhands_version: VERSION, agent_class: "CodeActAgent" },
    },
    {
      id: 1,
      timestamp: stamp(episode.startedAt),
      source: "user",
      message: episode.task.statement,
      action: "message",
      args: { content: episode.task.statement, image_urls: null, wait_for_response: false },
    },
  ];
  for (const turn of episode.turns) {
    const metadata = callMetadata({ turn, dice, model: episode.model });
    const id = events.length;
    events.push({
      id,
      timestamp: stamp(turn.at),
      source: "agent",
      ...actionPart(turn),
      tool_call_metadata: metadata,
    });
    if (turn.action.kind === "submit") continue;
    events.push({
      id: id + 1,
      timestamp: stamp(turn.answeredAt),
      source: "agent",
      cause: id,
      ...observationPart(turn),
      tool_call_metadata: { function_name: metadata.function_name, tool_call_id: metadata.tool_call_id },
    });
  }
  return [...events, finalState(episode, events.length)];
}

/** One row of an evaluation's `output.jsonl`, with the report that the harness adds after its check. */
export function openhandsRow(episode: Episode): Event {
  const { task, verdict } = episode;
  return {
    instance_id: task.id,
    instruction: task.statement,
    metadata: {
      agent_class: "CodeActAgent",
      llm_config: { model: episode.model, api_key: "**********", temperature: 0 },
      max_iterations: 10,
      dataset: "small-javascript-tasks",
      data_split: "test",
    },
    test_result: { git_patch: episode.patch, test_output: verdict.output },
    report: { empty_generation: episode.patch === "", resolved: verdict.resolved, test_timeout: false },
    history: openhandsEvents(episode),
    metrics: { accumulated_cost: 0 },
    error: episode.ended === "submitted" ? null : "the limit of 10 iterations was reached",
  };
}

/** OpenHands writes local time without a zone. */
function stamp(time: number): string {
  return iso(time).replace("Z", "000");
}

function callMetadata(call: { readonly turn: RecordedTurn; readonly dice: Dice; readonly model: string }) {
  const { name, args } = callOf(call.turn.action, NAMES);
  const id = `call_${call.dice.hex(24)}`;
  return {
    function_name: name,
    tool_call_id: id,
    model_response: {
      id: `chatcmpl-${uuidOf(call.dice)}`,
      created: Math.floor(call.turn.at / 1000),
      model: call.model,
      object: "chat.completion",
      choices: [
        {
          finish_reason: "tool_calls",
          index: 0,
          message: {
            content: call.turn.action.kind === "submit" ? "" : call.turn.thought,
            role: "assistant",
            tool_calls: [
              { index: 0, function: { arguments: JSON.stringify(args), name }, id, type: "function" },
            ],
          },
        },
      ],
    },
    total_calls_in_response: 1,
  };
}

function actionPart({ action, thought }: RecordedTurn): Event {
  switch (action.kind) {
    case "bash":
      return {
        message: `Running command: ${action.command}`,
        action: "run",
        args: {
          command: action.command,
          is_input: false,
          thought,
          blocking: false,
          hidden: false,
          confirmation_state: "confirmed",
        },
      };
    case "view":
      return {
        message: `Reading file: ${ROOT}/${action.path}`,
        action: "read",
        args: {
          path: `${ROOT}/${action.path}`,
          start: 0,
          end: -1,
          thought,
          impl_source: "oh_aci",
          view_range: null,
        },
      };
    case "replace":
    case "create": {
      const { path, command, ...rest } = editorArguments(action) ?? {};
      return {
        message: `Editing file: ${path}`,
        action: "edit",
        args: { path, command, ...rest, start: 1, end: -1, thought, impl_source: "oh_aci" },
      };
    }
    case "submit":
      return {
        message: action.message,
        action: "finish",
        args: { final_thought: action.message, task_completed: "true", outputs: {}, thought: "" },
      };
  }
}

function observationPart({ action, observation }: RecordedTurn): Event {
  const { output, exitCode } = observation;
  if (action.kind === "bash") {
    return {
      message: `Command \`${action.command}\` executed with exit code ${exitCode}.`,
      observation: "run",
      content: output.replace(/\n$/, ""),
      extras: {
        command: action.command,
        metadata: {
          exit_code: exitCode,
          pid: -1,
          username: "agent",
          hostname: "sandbox",
          working_dir: ROOT,
          prefix: "",
          suffix: "",
        },
        hidden: false,
      },
      success: exitCode === 0,
    };
  }
  const path = editorArguments(action)?.["path"];
  if (exitCode !== 0)
    return { message: output, observation: "error", content: output, extras: { error_id: "" } };
  return {
    message: `${action.kind === "view" ? "I read" : "I edited"} the file ${path}.`,
    observation: action.kind === "view" ? "read" : "edit",
    content: output,
    extras: { path, impl_source: "oh_aci" },
  };
}

function finalState(episode: Episode, id: number): Event {
  const done = episode.ended === "submitted";
  const reason = done ? "" : "the limit of 10 iterations was reached";
  return {
    id,
    timestamp: stamp(episode.turns.at(-1)?.answeredAt ?? episode.startedAt),
    source: "environment",
    message: "",
    observation: "agent_state_changed",
    content: "",
    extras: { agent_state: done ? "finished" : "error", reason },
  };
}
