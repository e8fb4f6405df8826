import type { Episode, RecordedTurn } from "../coding/episode.ts";
import { ROOT } from "../workspace.ts";
import { callOf, EDITOR } from "./tools.ts";

const NAMES = { bash: "bash", submit: "submit" };
const SYSTEM = "You repair small programs. Give one tool call with each answer.";

const task = (episode: Episode): string =>
  `The project is in ${ROOT}.\n\n${episode.task.statement}\n\nCall submit when it is done.`;

/** A `.traj` file of SWE-agent 1.x with native tool calls. The file itself says nothing about success. */
export function sweAgentTraj(episode: Episode): unknown {
  const history: unknown[] = [
    { role: "system", content: SYSTEM, agent: "main", message_type: "system_prompt" },
    {
      role: "user",
      content: [{ type: "text", text: task(episode) }],
      agent: "main",
      message_type: "observation",
    },
  ];
  const trajectory: unknown[] = [];
  const state = { working_dir: ROOT, open_files: [] };
  for (const turn of episode.turns) {
    const { name, args } = callOf(turn.action, NAMES);
    const id = `call_${episode.dice.hex(24)}`;
    const observation = observationText(turn, episode);
    const call = { function: { arguments: JSON.stringify(args), name }, id, type: "function" };
    trajectory.push({
      action: actionText(turn),
      observation,
      response: turn.thought,
      thought: turn.thought,
      execution_time: (turn.answeredAt - turn.at) / 1000,
      state,
      extra_info: {},
    });
    const said = { content: turn.thought, thought: turn.thought, action: actionText(turn) };
    history.push({ role: "assistant", ...said, agent: "main", tool_calls: [call], message_type: "action" });
    if (turn.action.kind === "submit") continue;
    history.push({
      role: "tool",
      content: [{ type: "text", text: `OBSERVATION:\n${observation}` }],
      agent: "main",
      message_type: "observation",
      tool_call_ids: [id],
    });
  }
  return {
    trajectory,
    history,
    info: {
      swe_agent_version: "1.1.0",
      exit_status: episode.ended === "submitted" ? "submitted" : "exit_cost",
      submission: episode.ended === "submitted" ? episode.patch : null,
      model_stats: { instance_cost: 0, tokens_sent: 0, tokens_received: 0, api_calls: episode.turns.length },
    },
    replay_config: JSON.stringify({
      agent: {
        model: { name: episode.model, temperature: 0 },
        tools: { parse_function: { type: "function_calling" } },
      },
      problem_statement: { type: "text", id: episode.task.id, text: episode.task.statement },
    }),
    environment: "main",
  };
}

/** A row of a published data set of such runs: messages as plain text, with the verdict of the check. */
export function sweAgentRow(episode: Episode): unknown {
  const messages = [
    { role: "system", content: SYSTEM },
    { role: "user", content: task(episode) },
  ];
  for (const turn of episode.turns) {
    const { name, args } = callOf(turn.action, NAMES);
    const parameters = Object.entries(args).map(([key, value]) => `<parameter=${key}>${value}</parameter>\n`);
    messages.push({
      role: "assistant",
      content: `${turn.thought}\n\n<function=${name}>\n${parameters.join("")}</function>`,
    });
    if (turn.action.kind !== "submit") {
      messages.push({ role: "user", content: `OBSERVATION:\n${observationText(turn, episode)}` });
    }
  }
  return {
    instance_id: episode.task.id,
    traj_id: `${episode.task.id}.${episode.dice.hex(8)}`,
    model: episode.model,
    resolved: episode.verdict.resolved,
    messages,
    patch: episode.patch,
  };
}

function observationText(turn: RecordedTurn, episode: Episode): string {
  return turn.action.kind === "submit" ? episode.patch : turn.observation.output.replace(/\n$/, "");
}

function actionText({ action }: RecordedTurn): string {
  if (action.kind === "bash") return action.command;
  const { name, args } = callOf(action, NAMES);
  if (name !== EDITOR) return name;
  const { command = "", path = "", ...rest } = args;
  const options = Object.entries(rest).map(([key, value]) => ` --${key} '${value.replaceAll("'", "'\\''")}'`);
  return `${EDITOR} ${command} ${path}${options.join("")}`;
}
