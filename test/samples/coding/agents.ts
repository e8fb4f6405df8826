import type { Dice } from "../clock.ts";
import type { Observation } from "../workspace.ts";
import type { Action, CodingTask } from "./task.ts";

/** What an agent says and does in one turn. */
export interface Turn {
  readonly thought: string;
  readonly action: Action;
}

/** A scripted agent: gives a turn, is given what came of it, and decides its next turn from that. */
export type Agent = (task: CodingTask, dice: Dice) => Generator<Turn, void, Observation>;

export type Skill = "careful" | "persistent" | "hasty" | "sloppy" | "lost";

const bash = (command: string): Action => ({ kind: "bash", command });
const view = (path: string): Action => ({ kind: "view", path });

/** Looks around, reproduces, reads, changes, tests again. */
function* careful(task: CodingTask, dice: Dice): ReturnType<Agent> {
  yield {
    thought: dice.pick(["Let me see what is in this folder first.", "First, an overview of the project."]),
    action: bash("ls -R"),
  };
  const before = yield {
    thought: `I want to see the problem myself: ${task.testCommand}.`,
    action: bash(task.testCommand),
  };
  yield {
    thought: `${firstComplaint(before)} I look for where "${task.clue.trim()}" is used.`,
    action: bash(`grep -rn '${task.clue}' --exclude-dir=test . | sort`),
  };
  yield { thought: `${task.suspect} is the place to read.`, action: view(task.suspect) };
  yield* carryOut(task.fix, `The cause is clear: ${task.insight}`);
  const after = yield { thought: "Now the check again.", action: bash(task.testCommand) };
  yield submit(
    after.exitCode === 0
      ? `Done. The cause: ${task.insight} ${task.testCommand} passes now.`
      : `I changed ${task.suspect}, but the check still fails: ${firstComplaint(after)}`,
  );
}

/** Tries the obvious change, sees that it is not enough, and goes back to the cause. */
function* persistent(task: CodingTask, dice: Dice): ReturnType<Agent> {
  yield {
    thought: dice.pick(["I start with the file itself.", `I open ${task.suspect}.`]),
    action: view(task.suspect),
  };
  const edits = task.shortcut.filter((action) => action.kind === "replace");
  yield* carryOut(task.shortcut, "A small change could be enough.");
  const first = yield { thought: "Does that hold?", action: bash(task.testCommand) };
  const doubt =
    first.exitCode === 0
      ? "The check passes, but the task asks for more than it covers."
      : firstComplaint(first);
  for (const edit of edits.toReversed()) {
    yield {
      thought: `${doubt} I take my change back before I do it properly.`,
      action: { kind: "replace", path: edit.path, before: edit.after, after: edit.before },
    };
  }
  yield* carryOut(task.fix, `On a second look: ${task.insight}`);
  const last = yield { thought: "Once more.", action: bash(task.testCommand) };
  yield submit(
    last.exitCode === 0 ? `Solved at the second try: ${task.insight}` : "My second try fails as well.",
  );
}

/** Reads one file, makes the first change that comes to mind and hands it in untested. */
function* hasty(task: CodingTask, dice: Dice): ReturnType<Agent> {
  yield {
    thought: dice.pick(["This looks simple.", "I know this kind of bug."]),
    action: view(task.suspect),
  };
  yield* carryOut(task.shortcut, "This should do it.");
  yield submit(dice.pick(["Fixed.", `I changed ${task.suspect}; that should solve it.`]));
}

/** Reads the same file again and again, repeats commands, undoes its own edit and claims success. */
function* sloppy(task: CodingTask, dice: Dice): ReturnType<Agent> {
  const { path, before, after } = task.blunder;
  yield { thought: "Let me read the file.", action: view(task.suspect) };
  yield {
    thought: dice.pick(["I read it once more.", "Let me look at it again."]),
    action: view(task.suspect),
  };
  yield { thought: "I run the check.", action: bash(task.testCommand) };
  const again = yield { thought: "Maybe it was a fluke. Again.", action: bash(task.testCommand) };
  yield {
    thought: `${firstComplaint(again)} Perhaps this helps.`,
    action: { kind: "replace", path, before, after },
  };
  yield { thought: "And the check.", action: bash(task.testCommand) };
  yield {
    thought: "No. Back to what it was.",
    action: { kind: "replace", path, before: after, after: before },
  };
  yield { thought: "What did the file say?", action: view(task.suspect) };
  yield submit("The problem is solved.");
}

/** Guesses paths that do not exist and never hands anything in. */
function* lost(task: CodingTask, dice: Dice): ReturnType<Agent> {
  const guess = dice.pick(["lib/index.js", "app/main.js", "index.js"]);
  yield { thought: "The entry point should tell me.", action: bash(`cat ${guess}`) };
  yield { thought: "Perhaps it is in another place.", action: bash(`cat src/${guess}`) };
  yield { thought: "What files are there?", action: bash("ls") };
  yield { thought: `I try ${guess} again.`, action: bash(`cat ${guess}`) };
  const found = yield { thought: "I search for it.", action: bash(`grep -rn '${task.clue}' lib`) };
  while (true) {
    yield { thought: `${firstComplaint(found)} I list the files again.`, action: bash("ls") };
  }
}

function* carryOut(actions: readonly Action[], reason: string): ReturnType<Agent> {
  for (const [index, action] of actions.entries()) {
    yield { thought: index === 0 ? reason : "The next part of it.", action };
  }
}

function submit(message: string): Turn {
  return { thought: message, action: { kind: "submit", message } };
}

/** What an agent takes from an output: its first line that tells of a failure. */
function firstComplaint(observation: Observation): string {
  const lines = observation.output.split("\n").filter((line) => line.trim() !== "");
  const complaint =
    lines.find((line) => line.startsWith("not ok")) ?? (observation.exitCode === 0 ? undefined : lines[0]);
  return complaint === undefined ? "No complaint in the output." : `It says "${complaint}".`;
}

export const agents: Readonly<Record<Skill, Agent>> = { careful, persistent, hasty, sloppy, lost };
