import { uuidOf } from "../clock.ts";
import type { Episode, RecordedTurn } from "../coding/episode.ts";
import { ROOT } from "../workspace.ts";

const SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT";
const SYSTEM = "You work in a shell. Give one command at a time.";

/** `text`: commands in a fenced block (format tag `mini-swe-agent-1`); `tool-calls`: native calls (`…-1.1`). */
export type MiniVariant = "text" | "tool-calls";

/** A `.traj.json` of mini-swe-agent. Like the real one, it says how the run stopped, not whether it was right. */
export function miniTraj(episode: Episode, variant: MiniVariant): unknown {
  const submitted = episode.ended === "submitted";
  const exit = {
    exit_status: submitted ? "Submitted" : "LimitsExceeded",
    submission: submitted ? episode.patch : "",
  };
  const end =
    variant === "text"
      ? { role: "user", content: exit.submission }
      : { role: "exit", content: exit.submission, extra: exit };
  return {
    info: {
      ...exit,
      model_stats: { instance_cost: 0, api_calls: episode.turns.length },
      mini_version: variant === "text" ? "1.17.5" : "2.2.7",
      config: {
        agent: { step_limit: 10, cost_limit: 3 },
        agent_type: "minisweagent.agents.default.DefaultAgent",
        model: { model_name: episode.model, model_kwargs: { temperature: 0 } },
        environment: { cwd: ROOT, timeout: 60 },
        environment_type: "minisweagent.environments.local.LocalEnvironment",
      },
    },
    messages: [
      { role: "system", content: SYSTEM },
      { role: "user", content: `Please solve this task in ${ROOT}:\n\n${episode.task.statement}` },
      ...episode.turns.flatMap((turn) => (variant === "text" ? textTurn(turn) : callTurn(turn, episode))),
      end,
    ],
    trajectory_format: variant === "text" ? "mini-swe-agent-1" : "mini-swe-agent-1.1",
    instance_id: episode.task.id,
  };
}

function textTurn(turn: RecordedTurn): readonly unknown[] {
  const said = {
    role: "assistant",
    content: `THOUGHT: ${turn.thought}\n\n\`\`\`bash\n${commandOf(turn)}\n\`\`\``,
    timestamp: turn.at / 1000,
  };
  if (turn.action.kind === "submit") return [said];
  return [said, { role: "user", content: answerText(turn), timestamp: turn.answeredAt / 1000 }];
}

function callTurn(turn: RecordedTurn, episode: Episode): readonly unknown[] {
  const id = `call_${episode.dice.hex(24)}`;
  const command = commandOf(turn);
  const said = {
    content: turn.thought,
    role: "assistant",
    tool_calls: [
      { function: { arguments: JSON.stringify({ command }), name: "bash" }, id, type: "function" },
    ],
    extra: {
      actions: [{ command, tool_call_id: id }],
      response: { id: uuidOf(episode.dice), model: episode.model, object: "chat.completion" },
      cost: 0,
      timestamp: turn.at / 1000,
    },
  };
  if (turn.action.kind === "submit") return [said];
  const { output, exitCode } = turn.observation;
  const extra = {
    raw_output: output,
    returncode: exitCode,
    timestamp: turn.answeredAt / 1000,
    exception_info: "",
  };
  return [said, { content: answerText(turn), extra, tool_call_id: id, role: "tool" }];
}

function commandOf({ action }: RecordedTurn): string {
  return action.kind === "bash" ? action.command : SUBMIT;
}

function answerText({ observation }: RecordedTurn): string {
  return `<returncode>${observation.exitCode}</returncode>\n<output>\n${observation.output}</output>`;
}
