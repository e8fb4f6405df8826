import { iso, uuidOf } from "../clock.ts";
import type { Episode } from "../coding/episode.ts";
import { type Conversation, INSTRUCTIONS } from "../support/conversation.ts";
import { toolDefinitions } from "../support/shop.ts";
import { callOf, editorDefinition, toolDefinition } from "./tools.ts";

const NAMES = { bash: "bash", submit: "finish" };
const VERSION = "ATIF-v1.7";

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

type StepBody = Readonly<Record<string, unknown>>;

/** A coding run in the Agent Trajectory Interchange Format 1.7. */
export function atifOfEpisode(episode: Episode): unknown {
  const steps: StepBody[] = [
    {
      timestamp: iso(episode.startedAt),
      source: "system",
      message: "You solve tasks in the folder you are in.",
    },
    { timestamp: iso(episode.startedAt), source: "user", message: episode.task.statement },
  ];
  for (const turn of episode.turns) {
    const { name, args } = callOf(turn.action, NAMES);
    const id = `call_${episode.dice.hex(16)}`;
    const { output, exitCode } = turn.observation;
    const result = { source_call_id: id, content: output, extra: { exit_code: exitCode } };
    steps.push({
      timestamp: iso(turn.at),
      source: "agent",
      model_name: episode.model,
      message: turn.thought,
      tool_calls: [{ tool_call_id: id, function_name: name, arguments: args }],
      ...(turn.action.kind === "submit" ? {} : { observation: { results: [result] } }),
    });
  }
  const { resolved, passed, failed } = episode.verdict;
  return document({
    session: uuidOf(episode.dice),
    agent: { name: "house-coder", version: "0.4.1", model_name: episode.model, tool_definitions: tools },
    steps,
    extra: { task_id: episode.task.id, resolved, tests_passed: passed, tests_failed: failed },
  });
}

/** A support conversation in the same format. */
export function atifOfConversation(conversation: Conversation): unknown {
  const steps: StepBody[] = [
    { timestamp: iso(conversation.startedAt), source: "system", message: INSTRUCTIONS },
  ];
  for (const utterance of conversation.utterances) {
    const timestamp = iso(utterance.at);
    if (utterance.kind === "customer") steps.push({ timestamp, source: "user", message: utterance.text });
    else if (utterance.kind === "agent") {
      steps.push({ timestamp, source: "agent", model_name: conversation.model, message: utterance.text });
    } else {
      const { id, tool, args, answer } = utterance;
      steps.push({
        timestamp,
        source: "agent",
        model_name: conversation.model,
        message: "",
        reasoning_content: utterance.thought,
        tool_calls: [{ tool_call_id: id, function_name: tool, arguments: args }],
        observation: { results: [{ source_call_id: id, content: JSON.stringify(answer.value) }] },
      });
    }
  }
  const { problem, resolved } = conversation;
  return document({
    session: uuidOf(conversation.dice),
    agent: {
      name: "house-support",
      version: "2.0.0",
      model_name: conversation.model,
      tool_definitions: toolDefinitions(),
    },
    steps,
    extra: { task_id: problem.id, domain: "conversation", resolved },
  });
}

function document(parts: {
  readonly session: string;
  readonly agent: unknown;
  readonly steps: readonly StepBody[];
  readonly extra: unknown;
}): unknown {
  return {
    schema_version: VERSION,
    session_id: parts.session,
    agent: parts.agent,
    steps: parts.steps.map((step, index) => ({ step_id: index + 1, ...step })),
    final_metrics: { total_steps: parts.steps.length },
    extra: parts.extra,
  };
}
