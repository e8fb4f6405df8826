import { falling, type SignalRule } from "./signal.ts";

/**
 * Fewer steps are better: agents that know what they do need few, and those that are lost go on until they are
 * stopped. 0.5 at the reference.
 */
export const efficiency: SignalRule = ({ facts, reference }) => {
  const steps = facts.steps.length;
  if (steps === 0) return null;
  return {
    score: falling(steps, reference.steps),
    message: `${steps} steps; ${reference.steps} are typical (${originOf(reference)})`,
  };
};

/**
 * Fewer words are better: the text beside the calls, over the whole run, grows with doubt, apology and
 * starting over. 0.5 at reference steps × reference thought.
 */
export const verbosity: SignalRule = ({ facts, reference }) => {
  const words = facts.steps.reduce((sum, step) => sum + step.thoughtLength, 0);
  const typical = reference.steps * reference.thought;
  if (words === 0 || !(typical > 0)) return null;
  return {
    score: falling(words, typical),
    message: `${words} characters beside calls; ${Math.round(typical)} are typical (${originOf(reference)})`,
  };
};

/**
 * A short last word is better: who is done says so, who is not explains what is left, guesses and apologises.
 * 0.5 at the reference thought.
 */
export const closingWords: SignalRule = ({ facts, reference }) => {
  const last = facts.steps.at(-1);
  if (last === undefined || last.thoughtLength === 0 || !(reference.thought > 0)) return null;
  return {
    score: falling(last.thoughtLength, reference.thought),
    message: `${last.thoughtLength} characters in the last step; ${reference.thought} are typical (${originOf(reference)})`,
  };
};

function originOf({ of, n }: { readonly of: string; readonly n: number }): string {
  return of === "builtin" ? "built-in" : `median of ${n} of the same ${of}`;
}
