import { type Clock, clockOfRun, type Dice, diceOf } from "../clock.ts";
import { patchBetween } from "../patch.ts";
import { type Observation, openWorkspace, ROOT, type Workspace } from "../workspace.ts";
import { agents, type Skill, type Turn } from "./agents.ts";
import { logicTasks } from "./logic-tasks.ts";
import { systemTasks } from "./system-tasks.ts";
import type { Action, CodingTask } from "./task.ts";
import { textTasks } from "./text-tasks.ts";

/** `bash` alone (edits are written as here-documents), or bash with an editor tool. */
export type Toolset = "bash" | "bash-and-editor";

export interface RecordedTurn extends Turn {
  readonly observation: Observation;
  /** Epoch milliseconds of the agent's message and of the answer. */
  readonly at: number;
  readonly answeredAt: number;
}

export interface Verdict {
  readonly resolved: boolean;
  readonly passed: number;
  readonly failed: number;
  /** What the hidden check printed. */
  readonly output: string;
}

export interface Episode {
  readonly task: CodingTask;
  readonly skill: Skill;
  readonly model: string;
  readonly startedAt: number;
  readonly turns: readonly RecordedTurn[];
  readonly ended: "submitted" | "step-limit";
  readonly patch: string;
  readonly verdict: Verdict;
  /** For the ids that a framework would give. */
  readonly dice: Dice;
}

const STEP_LIMIT = 10;
const tasks = new Map([...textTasks, ...logicTasks, ...systemTasks].map((task) => [task.id, task]));

/** A run names a task that does not exist. */
export class UnknownTaskError extends Error {
  override readonly name = "UnknownTaskError";
  constructor(id: string) {
    super(`no coding task is named "${id}"`);
  }
}

/** Lets one agent work on one task in a fresh folder, and measures at the end what it achieved. */
export function recordEpisode(order: {
  readonly ordinal: number;
  readonly task: string;
  readonly skill: Skill;
  readonly toolset: Toolset;
}): Episode {
  const task = tasks.get(order.task);
  if (task === undefined) throw new UnknownTaskError(order.task);
  const dice = diceOf(`coding:${order.ordinal}:${order.task}:${order.skill}`);
  const clock = clockOfRun(order.ordinal);
  using workspace = openWorkspace(task.files);
  const startedAt = clock.now();
  const turns: RecordedTurn[] = [];
  const agent = agents[order.skill](task, dice);
  let ended: Episode["ended"] = "step-limit";
  let next = agent.next();
  while (next.done !== true && turns.length < STEP_LIMIT) {
    const turn: Turn = { ...next.value, action: asToolset(next.value.action, order.toolset, workspace) };
    const recorded = takeTurn({ turn, workspace, clock, dice });
    turns.push(recorded);
    if (turn.action.kind === "submit") {
      ended = "submitted";
      break;
    }
    next = agent.next(recorded.observation);
  }
  return {
    task,
    skill: order.skill,
    model: `scripted-${order.skill}-1`,
    startedAt,
    turns,
    ended,
    patch: patchBetween(task.files, workspace.files()),
    verdict: judge(task, workspace),
    dice,
  };
}

function takeTurn(step: {
  readonly turn: Turn;
  readonly workspace: Workspace;
  readonly clock: Clock;
  readonly dice: Dice;
}): RecordedTurn {
  const at = step.clock.advance(step.dice.between(1_800, 6_400));
  const observation = perform(step.turn.action, step.workspace);
  return { ...step.turn, observation, at, answeredAt: step.clock.advance(step.dice.between(40, 700)) };
}

/** Carries an action out for real. The editor is this program's own; its messages are too. */
function perform(action: Action, workspace: Workspace): Observation {
  switch (action.kind) {
    case "bash":
      return workspace.run(action.command);
    case "view": {
      const text = workspace.read(action.path);
      if (text === undefined) return { output: `no file ${ROOT}/${action.path}`, exitCode: 1 };
      const lines = text.replace(/\n$/, "").split("\n");
      return { output: lines.map((line, index) => `${index + 1}\t${line}`).join("\n"), exitCode: 0 };
    }
    case "replace": {
      const text = workspace.read(action.path);
      const count = text === undefined ? 0 : text.split(action.before).length - 1;
      if (text === undefined || count !== 1) {
        return {
          output: `nothing changed: the text occurs ${count} times in ${ROOT}/${action.path}`,
          exitCode: 1,
        };
      }
      workspace.write(
        action.path,
        text.replace(action.before, () => action.after),
      );
      return { output: `changed 1 place in ${ROOT}/${action.path}`, exitCode: 0 };
    }
    case "create":
      workspace.write(action.path, action.text);
      return { output: `wrote ${ROOT}/${action.path}`, exitCode: 0 };
    case "submit":
      return { output: "", exitCode: 0 };
  }
}

/** An agent without an editor reads with `cat` and writes files out of the shell. */
function asToolset(action: Action, toolset: Toolset, workspace: Workspace): Action {
  if (toolset === "bash-and-editor" || action.kind === "bash" || action.kind === "submit") return action;
  if (action.kind === "view") return { kind: "bash", command: `cat ${action.path}` };
  const text = action.kind === "create" ? action.text : edited(action, workspace);
  return { kind: "bash", command: `cat > ${action.path} <<'END'\n${text.replace(/\n$/, "")}\nEND` };
}

function edited(action: Action & { readonly kind: "replace" }, workspace: Workspace): string {
  return (workspace.read(action.path) ?? "").replace(action.before, () => action.after);
}

/** The hidden check enters the workspace only now. */
function judge(task: CodingTask, workspace: Workspace): Verdict {
  for (const [path, text] of Object.entries(task.hidden)) workspace.write(path, text);
  const { output, exitCode } = workspace.run("node hidden/check.js");
  const lines = output.split("\n");
  const passed = lines.filter((line) => line.startsWith("ok - ")).length;
  const failed = lines.filter((line) => line.startsWith("not ok - ")).length;
  return { resolved: exitCode === 0 && passed > 0, passed, failed, output };
}
