import { type SignalRule, stepsText } from "./signal.ts";

/** Share of commands and tool calls that did not fail. Edits have a signal of their own, tests may fail. */
export const failingCalls: SignalRule = ({ facts }) => {
  const calls = facts.calls.filter(
    ({ role, failed }) => failed !== null && (role === "command" || role === "tool"),
  );
  if (calls.length === 0) return null;
  const failed = calls.filter((call) => call.failed === true);
  return {
    score: 1 - failed.length / calls.length,
    message:
      failed.length === 0
        ? `none of ${calls.length} calls failed`
        : `${failed.length} of ${calls.length} calls failed: ${stepsText(failed.map((call) => call.view.at.step))}`,
  };
};

/** Refusals that go with any editing. */
const free = 2;

/** An editor that refuses now and then is usual; one that keeps refusing has an agent that guesses. */
export const rejectedEdits: SignalRule = ({ facts }) => {
  const edits = facts.calls.filter(({ edit }) => edit !== null);
  if (edits.length === 0) return null;
  const refused = edits.filter(({ edit }) => edit === "refused");
  const over = Math.max(0, refused.length - free);
  return {
    score: 1 - over / Math.max(1, edits.length),
    message:
      refused.length === 0
        ? `none of ${edits.length} edits was refused`
        : `${refused.length} of ${edits.length} edits refused: ${stepsText(refused.map((call) => call.view.at.step))}`,
  };
};

/**
 * Share of calls that are not near-copies of an earlier one with nothing changed in between. Scrolling, tests
 * and handing in may be repeated.
 */
export const thrash: SignalRule = ({ facts }) => {
  const seen = new Map<string, number>();
  const again: number[] = [];
  let counted = 0;
  let changes = 0;
  for (const call of facts.calls) {
    if (call.edit === "applied") changes++;
    if (call.view.repeatable || ["tests", "submit", "think", "say"].includes(call.role)) continue;
    counted++;
    if (seen.get(call.near) === changes) again.push(call.view.at.step);
    seen.set(call.near, changes);
  }
  if (counted === 0) return null;
  return {
    score: 1 - again.length / counted,
    message:
      again.length === 0
        ? `none of ${counted} calls nearly repeats another`
        : `${again.length} of ${counted} calls nearly repeat an earlier one: ${stepsText(again)}`,
  };
};
